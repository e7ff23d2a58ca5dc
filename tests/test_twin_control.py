"""Each kind of disturbance is seen from outside while it holds, and is gone when it is lifted; nothing outlives the twin."""

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import pytest

from fixtures.drills.control import Asked, Control, Refused
from gate.embedded import EmbeddedTwin
from tests.conftest import ROOT, without_settings
from tests.drilled import Drilled, until

# Where a handshake is reset, the client leaves its socket to the collector; the fixture `twin` has it collected here.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
BROKEN_OFF = (httpx.ReadError, httpx.RemoteProtocolError)
BREAKS: dict[str, tuple[type[Exception], ...]] = {
    "refuse": (httpx.ConnectError,),
    "reset": (httpx.ConnectError,),
    "blackhole": (httpx.ConnectTimeout,),
    "half": BROKEN_OFF,
}
Ask = Callable[[Drilled], httpx.Response]
VENDORS: dict[str, Ask] = {
    "openai": Drilled.openai,
    "llamaparse": Drilled.llamaparse,
    "anthropic": Drilled.anthropic,
    "storage": Drilled.storage,
    "auth": Drilled.auth,
}
RESTARTS_SECONDS = 60.0
PATIENT = 4.0


def folder_of(twin: EmbeddedTwin) -> Path:
    """The folder of the twin's own files."""
    return Path(next(line for line in (twin.folder / "twin.log").read_text().splitlines() if "logs in" in line).split()[2][:-1])


def pids_of(twin: EmbeddedTwin) -> list[int]:
    """Ids of all processes of a twin that run."""
    return [entry["pid"] for entry in json.loads((folder_of(twin) / "pids.json").read_text()).values() if entry["pid"]]


def is_alive(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def start(folder: Path) -> tuple[EmbeddedTwin, Drilled]:
    """A twin with drills."""
    twin = EmbeddedTwin(folder, arguments=("--drills",))
    return twin, Drilled(twin.start())


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drilled]:
    """One for all; ended while it is disturbed, it leaves no process and no file."""
    twin, found = start(tmp_path_factory.mktemp("drilled") / "twin")
    yield found
    pids, folder = pids_of(twin), folder_of(twin)
    found.control.begin(kind="process", how="stop", target="worker")
    found.control.begin(kind="process", how="stop", target="api")
    found.control.begin(kind="link", how="blackhole", source="anyone", target="postgres")
    twin.stop()
    found.control.close()
    assert not [pid for pid in pids if is_alive(pid)]
    assert not folder.exists()


@pytest.fixture
def twin(drilled: Drilled) -> Iterator[Drilled]:
    """The one twin, whole again after each test."""
    yield drilled
    drilled.control.lift_all()
    gc.collect()
    until(lambda: drilled.api("/").status_code == 200, RESTARTS_SECONDS)


@pytest.mark.parametrize("how", BREAKS)
def test_a_link_is_broken_for_everybody_and_mended(twin: Drilled, how: str) -> None:
    with twin.control.disturbed(kind="link", how=how, source="anyone", target="openai"), pytest.raises(BREAKS[how]):
        twin.openai()
    assert twin.openai().status_code == 200


def test_a_link_of_one_service_is_broken_without_the_others(twin: Drilled) -> None:
    with twin.control.disturbed(kind="link", how="refuse", source="api", target="openai"):
        assert twin.openai().status_code == 200
        until(lambda: twin.health("openai") == "error: ConnectError")
        assert twin.health("llamaparse") == "healthy"
    until(lambda: twin.health("openai") == "healthy")


def test_a_slow_link_delays_each_packet(twin: Drilled) -> None:
    with twin.control.disturbed(kind="link", how="slow", source="anyone", target="openai", seconds=0.3):
        began = time.monotonic()
        assert twin.openai().status_code == 200
        assert time.monotonic() - began > 0.9


def test_two_disturbances_of_a_link_are_lifted_one_by_one(twin: Drilled) -> None:
    broken = twin.control.begin(kind="link", how="refuse", source="anyone", target="openai")
    slow = twin.control.begin(kind="link", how="slow", source="anyone", target="openai", seconds=0.1)
    twin.control.lift(broken)
    assert twin.openai().status_code == 200
    twin.control.lift(slow)
    assert twin.control.disturbances() == []


@pytest.mark.parametrize("target", VENDORS)
def test_a_vendor_is_down_as_that_vendor_is(twin: Drilled, target: str) -> None:
    with twin.control.disturbed(kind="vendor", how="down", target=target) as disturbance:
        reply = VENDORS[target](twin)
        assert reply.status_code == (529 if target == "anthropic" else 503)
        named = {"openai": "error", "anthropic": "error", "llamaparse": "detail", "storage": "message", "auth": "error_code"}
        assert named[target] in reply.json()
        assert len(twin.control.look(disturbance).seen) >= 1
    assert VENDORS[target](twin).status_code == 200


@pytest.mark.parametrize("target", VENDORS)
def test_a_vendor_limits_the_rate_and_says_how_long(twin: Drilled, target: str) -> None:
    with twin.control.disturbed(kind="vendor", how="rate_limited", target=target, retry_after=7):
        reply = VENDORS[target](twin)
        assert (reply.status_code, reply.headers["retry-after"]) == (429, "7")


def test_a_vendor_sends_what_is_no_json(twin: Drilled) -> None:
    with twin.control.disturbed(kind="vendor", how="garbage", target="openai"):
        reply = twin.openai()
        assert reply.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            reply.json()


def test_a_vendor_sends_half_an_answer(twin: Drilled) -> None:
    with twin.control.disturbed(kind="vendor", how="half", target="openai"), pytest.raises(BROKEN_OFF):
        twin.openai()


def test_a_vendor_is_slow_until_it_is_mended(twin: Drilled) -> None:
    disturbance = twin.control.begin(kind="vendor", how="slow", target="openai", seconds=60, seconds_at_most=0.5)
    began = time.monotonic()
    assert twin.openai().status_code == 200
    assert 0.2 < time.monotonic() - began < PATIENT
    assert twin.control.look(disturbance).is_over


def test_a_vendor_is_disturbed_for_some_paths_and_some_times(twin: Drilled) -> None:
    with twin.control.disturbed(kind="vendor", how="down", target="openai", only="/v1/models/", first=1):
        assert [twin.openai(path).status_code for path in ("/models", "/models/gpt-4o", "/models/gpt-4o")] == [200, 503, 200]


def test_a_vendor_is_disturbed_with_every_other_request(twin: Drilled) -> None:
    with twin.control.disturbed(kind="vendor", how="down", target="openai", every=2) as disturbance:
        assert [twin.openai().status_code for _ in range(4)] == [200, 503, 200, 503]
        assert len(twin.control.look(disturbance).seen) == 2


def test_a_vendor_that_is_watched_is_not_disturbed(twin: Drilled) -> None:
    with twin.control.disturbed(kind="vendor", how="watched", target="openai", method="POST") as posted:
        with twin.control.disturbed(kind="vendor", how="watched", target="openai", method="GET") as read:
            assert twin.openai().status_code == 200
        assert [len(twin.control.look(one).seen) for one in (posted, read)] == [0, 1]


def test_a_call_that_hangs_does_so_until_it_is_mended_also_when_no_other_one_does(twin: Drilled) -> None:
    asked: Asked = {"kind": "vendor", "how": "slow", "target": "openai", "seconds": 60, "first": 1, "seconds_at_most": 0.5}
    with twin.control.disturbed(**asked):
        began = time.monotonic()
        assert twin.openai().status_code == 200
        assert 0.2 < time.monotonic() - began < PATIENT


def test_a_full_store_can_still_be_read(twin: Drilled) -> None:
    with twin.control.disturbed(kind="vendor", how="full", target="storage"):
        assert twin.storage().status_code == 200
        assert twin.supabase("/storage/v1/object/files/user/x.pdf", "POST", content=b"x").status_code == 507


@pytest.mark.parametrize(
    ("how", "statuses"),
    [("lost", []), ("late", [200]), ("twice", [200, 200]), ("out_of_order", [200, 200]), ("forged", [401, 200])],
)
def test_a_callback_does_not_come_as_it_should(twin: Drilled, how: str, statuses: list[int]) -> None:
    asked: Asked = {"kind": "callback", "how": how, "first": 1}
    if how == "late":
        asked["seconds"] = 1.0
    with twin.control.disturbed(**asked) as disturbance:
        job = twin.upload()
        (seen,) = twin.control.await_strike(disturbance, 30).seen
    assert seen["statuses"] == statuses
    assert seen["paths"][0].endswith(job)


def test_a_service_that_is_killed_is_started_by_its_host(twin: Drilled) -> None:
    before = twin.control.processes()["worker"]
    twin.control.begin(kind="process", how="kill", target="worker")
    until(lambda: twin.control.processes()["worker"].starts == before.starts + 1)
    assert twin.control.processes()["worker"].pid != before.pid


def test_a_service_that_is_held_stays_away_until_it_is_lifted(twin: Drilled) -> None:
    with twin.control.disturbed(kind="process", how="kill", target="api", hold=True):
        with pytest.raises(httpx.TransportError):
            twin.api("/")
        assert not twin.control.processes()["api"].is_running
    assert twin.api("/").status_code == 200


def test_a_service_stands_still_and_goes_on(twin: Drilled) -> None:
    before = twin.control.processes()["api"]
    with twin.control.disturbed(kind="process", how="stop", target="api"), pytest.raises(httpx.TimeoutException):
        twin.api("/")
    assert twin.api("/").status_code == 200
    assert twin.control.processes()["api"] == before


def test_another_worker_works_until_it_is_lifted(twin: Drilled) -> None:
    with twin.control.disturbed(kind="process", how="start", target="worker") as disturbance:
        assert twin.control.processes()[disturbance.process].is_running
        assert (disturbance.process, "postgres") in twin.control.links()
    assert disturbance.process not in twin.control.processes()


@pytest.mark.parametrize("status", ["uploaded", "chunks_stored"])
def test_a_worker_dies_while_it_works_on_a_job(twin: Drilled, status: str) -> None:
    with twin.control.disturbed(kind="process", how="kill", target="worker", when_status=status) as disturbance:
        before = twin.control.processes()["worker"]
        twin.upload()
        (seen,) = twin.control.await_strike(disturbance, 30).seen
        # The job may be another test's that is still on its way.
        assert (seen["process"], seen["status"]) == ("worker", status)
        until(lambda: twin.control.processes()["worker"].starts == before.starts + 1)


def _row(twin: Drilled, statement: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(twin.values["DATABASE_URL"], timeout=5)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("how", ["restart", "failover"])
def test_the_database_goes_away_and_comes_back(twin: Drilled, how: str) -> None:
    before = twin.control.processes()["postgres"]
    port = _row(twin, "SELECT inet_server_addr()::text")
    with twin.control.disturbed(kind="database", how=how, seconds=30):
        with pytest.raises((OSError, asyncpg.PostgresError)):
            _row(twin, "SELECT 1")
        assert not twin.control.processes()["postgres"].is_running
        assert twin.storage().status_code in (500, 544)
    assert twin.control.processes()["postgres"].pid != before.pid
    assert _row(twin, "SELECT inet_server_addr()::text") == port
    until(lambda: twin.health("database") == "healthy")
    assert twin.storage().status_code == 200


def test_a_failover_leads_to_another_server(twin: Drilled) -> None:
    before = _row(twin, "SELECT inet_server_addr()::text")
    twin.control.begin(kind="database", how="failover")
    twin.control.lift_all()
    assert _row(twin, "SELECT inet_server_addr()::text") != before


def test_the_database_can_only_be_read(twin: Drilled) -> None:
    statement = "CREATE TABLE upload_pipeline.scratch AS SELECT 1"
    with twin.control.disturbed(kind="database", how="read_only"):
        until(lambda: _row(twin, "SHOW transaction_read_only") == "on")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            _row(twin, statement)
    until(lambda: _row(twin, "SHOW transaction_read_only") == "off")


def test_the_database_has_no_connections_left(twin: Drilled) -> None:
    with twin.control.disturbed(kind="database", how="connections", free=0, drop=True):
        with pytest.raises(asyncpg.TooManyConnectionsError):
            _row(twin, "SELECT 1")
        until(lambda: twin.health("database") == "error: TooManyConnectionsError")
    until(lambda: twin.health("database") == "healthy")


def test_the_database_is_slow(twin: Drilled) -> None:
    with twin.control.disturbed(kind="database", how="slow", seconds=0.3):
        began = time.monotonic()
        assert _row(twin, "SELECT 1") == 1
        assert time.monotonic() - began > 0.9


def test_a_services_clock_is_off(twin: Drilled) -> None:
    def hours_ahead() -> int:
        shown = datetime.fromisoformat(twin.api("/health").json()["timestamp"])
        return round((shown - datetime.now(UTC)).total_seconds() / 3600)

    with twin.control.disturbed(kind="clock", target="api", seconds=7200):
        until(lambda: hours_ahead() == 2)
    until(lambda: hours_ahead() == 0)


def test_a_disturbance_lifts_itself(twin: Drilled) -> None:
    disturbance = twin.control.begin(kind="vendor", how="down", target="openai", seconds_at_most=2)
    assert twin.openai().status_code == 503
    until(lambda: twin.control.disturbances() == [])
    assert twin.openai().status_code == 200
    assert twin.control.look(disturbance).is_over


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"kind": "earthquake"}, "kind: expected one of link, vendor"),
        ({"kind": "link", "how": "refuse", "source": "llamaparse", "target": "openai"}, "llamaparse does not reach openai"),
        ({"kind": "vendor", "how": "slow", "target": "openai"}, "seconds: vendor slow needs it"),
        ({"kind": "vendor", "how": "down", "target": "render"}, "target: expected one of openai"),
        ({"kind": "process", "how": "start", "target": "api"}, "only another worker"),
        ({"kind": "process", "how": "kill", "target": "nobody"}, "target: expected one of api, worker"),
        ({"kind": "database", "how": "restart", "only": "/v1"}, "no option 'only'"),
        ({"kind": "vendor", "how": "down", "target": "openai", "seconds_at_most": 0}, "seconds_at_most"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_in_one_line(twin: Drilled, asked: Asked, line: str) -> None:
    with pytest.raises(Refused) as caught:
        twin.control.begin(**asked)
    assert (caught.value.status, line in caught.value.reason) == (400, True), caught.value.reason


def test_the_control_is_closed_without_its_token(twin: Drilled) -> None:
    control = Control(twin.values["HARNESS_DRILL_URL"], "wrong")
    with closing(control), pytest.raises(Refused, match="401"):
        control.processes()


def test_a_twin_that_is_killed_takes_along_what_stands_still(tmp_path: Path) -> None:
    twin, found = start(tmp_path / "twin")
    try:
        pids, folder = pids_of(twin), folder_of(twin)
        found.control.begin(kind="process", how="stop", target="worker")
        assert twin._process is not None
        os.kill(twin._process.pid, signal.SIGKILL)
        twin._process.wait()
        until(lambda: not [pid for pid in pids if is_alive(pid)])
    finally:
        twin.stop()
        found.control.close()
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_a_system_without_drills_says_so() -> None:
    command = [sys.executable, "-m", "twin", "up", "--drills", "--system", "clinic"]
    done = subprocess.run(command, cwd=ROOT, env=without_settings(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (4, "twin: --drills: the clinic has none\n")
