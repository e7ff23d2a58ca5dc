"""Figures are held to their bounds; Render's double shows the twin's own processes and what became of them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fixtures.figures import Figure, Figures
from fixtures.monitoring import Monitoring
from fixtures.render import Render
from gate.failures import Facts, Failure
from reports import figures as reported
from spec.model import Bound
from tests.recorded import a_session, check, concluded
from tests.servers import answering
from twin.config import TwinConfig
from twin.doubles.render import create_app
from twin.doubles.render.description import API, WORKER
from twin.doubles.render.sampler import Sampler
from twin.pids import Pids, read
from twin.proc import usage
from twin.processes import Processes, path_only

KEY = "key-of-a-test"
BOUND = Bound(section="§5", unit="share", at_most=0.5, fewest=3)


def figure(value: float | None, samples: int = 3, window: str = "run") -> Figure:
    """One figure of the worker."""
    return Figure("memory", "service worker", window, value, samples, "Render's metrics")


# ── Bounds ───────────────────────────────────────────────────────────────────────────────────────────────
def test_a_figure_beyond_its_bound_fails_with_its_subject_and_part(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    with pytest.raises(Failure) as caught:
        Figures(session).hold([figure(0.4), figure(0.6, window="day")], BOUND, "hint", "worker")
    assert (caught.value.subject, caught.value.component) == ("service worker", "worker")
    assert caught.value.observed["value"] == 0.6
    kept = reported.read(session.shared.path / "figures")
    assert [(one["window"], one["value"], one["broken"]) for one in kept] == [("day", 0.6, True), ("run", 0.4, False)]


@pytest.mark.parametrize("one", [figure(None, 0), figure(0.9, samples=2)])
def test_a_figure_that_is_not_given_or_of_few_samples_is_not_judged(tmp_path: Path, one: Figure) -> None:
    session = a_session(tmp_path)
    with pytest.raises(pytest.skip.Exception, match="NOT APPLICABLE"):
        Figures(session).hold([one], BOUND, "hint", "worker")
    assert [each["judged"] for each in reported.read(session.shared.path / "figures")] == [False]


def test_one_window_is_enough_to_judge(tmp_path: Path) -> None:
    Figures(a_session(tmp_path)).hold([figure(None, 0), figure(0.1, window="day")], BOUND, "hint", "worker")


# ── The platform's answers ───────────────────────────────────────────────────────────────────────────────
def at(seconds_ago: float) -> str:
    """A time as Render writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds_ago))


class Account:
    """A workspace with one service, whose figures a test sets."""

    def __init__(self) -> None:
        self.series: dict[str, list[Any]] = {}
        self.events: list[Any] = []
        self.service: dict[str, Any] = {"id": "srv-1", "serviceDetails": {"numInstances": 1}}

    def memory(self, *values: float) -> None:
        """Memory of one instance, a value every five minutes until now, of at most 1000 bytes."""
        times = [at(300 * (len(values) - n)) for n in range(len(values))]
        points = [{"timestamp": time_, "value": value} for time_, value in zip(times, values, strict=True)]
        labels = [{"field": "resource", "value": "srv-1"}, {"field": "instance", "value": "srv-1-a"}]
        self.series["memory"] = [{"labels": labels, "unit": "bytes", "values": points}]
        limit = [{"timestamp": at(60), "value": 1000.0}]
        self.series["memory-limit"] = [{"labels": labels, "unit": "bytes", "values": limit}]

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """The answer to one request."""
        name = path.partition("?")[0]
        if name.endswith("/services"):
            worker = self.service | {"name": "insurance-navigator-staging-worker"}
            return 200, [] if "cursor" in path else [{"service": worker, "cursor": "1"}]
        if name.endswith("/events"):
            return 200, [] if "cursor" in path else self.events
        return (200, self.series[metric]) if (metric := name.rpartition("/")[2]) in self.series else (404, {"message": "?"})

    def hold(self, folder: Path, *names: str) -> None:
        """Hold the worker's figures to the specification's bounds."""
        with answering(self) as url:
            session = a_session(folder, RENDER_BASE_URL=url, RENDER_API_KEY=KEY)
            Monitoring(Render(session)).hold("worker", *names)


def test_a_leak_of_a_day_is_a_failure_of_the_worker(tmp_path: Path) -> None:
    account = Account()
    account.memory(*(200 + 2 * n for n in range(200)))
    with pytest.raises(Failure) as caught:
        account.hold(tmp_path, "memory_growth")
    assert (caught.value.subject, caught.value.component) == ("service worker", "worker")


def test_memory_that_settles_is_no_leak(tmp_path: Path) -> None:
    account = Account()
    account.memory(*(min(600, 200 + 40 * n) for n in range(200)))
    account.hold(tmp_path, "memory_growth", "memory")


def test_a_metric_that_the_platform_does_not_give_is_not_judged(tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="no value of cpu"):
        Account().hold(tmp_path, "cpu")


@pytest.mark.parametrize(
    ("reason", "broken", "kept"),
    [({"nonZeroExit": 1}, "restarts", "out_of_memory"), ({"oomKilled": {"memoryLimit": "512Mi"}}, "out_of_memory", "restarts")],
)
def test_the_end_of_an_instance_is_counted_by_its_reason(tmp_path: Path, reason: object, broken: str, kept: str) -> None:
    account = Account()
    details = {"instanceID": "srv-1-a", "reason": {"evicted": False} | dict(reason)}  # type: ignore[call-overload]
    event = {"id": "evt-1", "timestamp": at(-5), "serviceId": "srv-1", "type": "server_failed", "details": details}
    account.events = [{"event": event, "cursor": "1"}]
    account.hold(tmp_path / "kept", kept)
    with pytest.raises(Failure) as caught:
        account.hold(tmp_path / "broken", broken)
    assert "server_failed" in str(caught.value.observed["detail"])


def test_a_deploy_that_began_before_the_run_and_has_not_ended_is_under_way(tmp_path: Path) -> None:
    account = Account()
    event = {"id": "evt-1", "timestamp": at(3600), "serviceId": "srv-1", "type": "deploy_started", "details": {}}
    account.events = [{"event": event, "cursor": "1"}]
    with pytest.raises(Failure):
        account.hold(tmp_path / "open", "deploys")
    ended = event | {"id": "evt-2", "timestamp": at(3000), "type": "deploy_ended"}
    account.events = [{"event": ended, "cursor": "1"}, {"event": event, "cursor": "2"}]
    account.hold(tmp_path / "ended", "deploys")


def test_the_deploy_that_ends_as_the_run_begins_is_the_one_that_is_judged(tmp_path: Path) -> None:
    account = Account()
    began = {"id": "evt-1", "timestamp": at(60), "serviceId": "srv-1", "type": "deploy_started", "details": {}}
    ended = began | {"id": "evt-2", "timestamp": at(-5), "type": "deploy_ended"}
    account.events = [{"event": ended, "cursor": "1"}, {"event": began, "cursor": "2"}]
    account.hold(tmp_path / "judged", "deploys")
    account.events.insert(0, {"event": began | {"id": "evt-3", "timestamp": at(-9)}, "cursor": "0"})
    with pytest.raises(Failure):
        account.hold(tmp_path / "next", "deploys")


# ── The double ───────────────────────────────────────────────────────────────────────────────────────────
def a_double(folder: Path) -> TestClient:
    """Render's double of a twin in this folder."""
    names = ("ca_file", "cert_file", "key_file", "database_admin_url", "jwt_secret", "anon_key", "service_role_key")
    keys: dict[str, Any] = dict.fromkeys((*names, "openai_key", "llamaparse_key", "anthropic_key", "project_ref"), "")
    config = TwinConfig(folder=str(folder), ports={"api": 1}, render_key=KEY, commit="c", speedup=1.0, **keys)
    return TestClient(create_app(config), headers={"Authorization": f"Bearer {KEY}"})


def test_processes_stand_in_the_folder_with_their_ends(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.spawn("worker", [sys.executable, "-c", "raise SystemExit(3)"], path_only())
    while not processes.has_ended("worker"):
        time.sleep(0.01)
    assert processes.note_death("worker") is not None
    processes.spawn("worker", [sys.executable, "-c", "input()"], path_only())
    entry = read(tmp_path)["worker"]
    assert (entry["restarts"], [life["code"] for life in entry["lives"]]) == (1, [3])
    processes.stop()


def test_the_ends_of_instances_are_events(tmp_path: Path) -> None:
    pids = Pids(tmp_path)
    pids.started("worker", 11)
    pids.died("worker", 1)
    pids.started("worker", 12)
    pids.died("worker", -9, 512 * 2**20)
    pids.started("worker", 13)
    events = [entry["event"] for entry in a_double(tmp_path).get(f"/v1/services/{WORKER}/events").json()]
    own = [(event["type"], event["details"].get("reason")) for event in events if event["type"].startswith("server_")]
    assert own == [
        ("server_available", None),
        ("server_failed", {"evicted": False, "oomKilled": {"memoryLimit": "512Mi"}}),
        ("server_available", None),
        ("server_failed", {"evicted": False, "nonZeroExit": 1}),
    ]


def test_memory_and_processor_time_are_those_of_the_process(tmp_path: Path) -> None:
    pids = Pids(tmp_path)
    pids.started("api", os.getpid())
    sampler = Sampler(tmp_path)
    sampler.sample()
    held = b"x" * 50_000_000
    ends = time.monotonic() + 0.3
    while time.monotonic() < ends:
        pass
    sampler.sample()
    ((instance, (first, second)),) = sampler.of(API)
    assert instance == f"{API}-{os.getpid():05x}"
    assert second.memory - first.memory > len(held) / 2
    assert second.processors > 0.01
    assert [count for _, count in sampler.counts(API)] == [1, 1]


def test_a_process_that_has_ended_uses_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert usage(ended.pid) is None


def test_figures_are_json(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    Figures(session).hold([figure(0.1)], BOUND, "hint", "worker")
    (path,) = (session.shared.path / "figures").glob("*.json")
    assert json.loads(path.read_text())["at_most"] == 0.5


# ── The diagnosis ────────────────────────────────────────────────────────────────────────────────────────
RESTARTS: dict[str, Any] = {
    "code": "platform.restarts",
    "subject": "service worker",
    "component": "worker",
    "observed": Facts(value=3.0),
}


@pytest.mark.parametrize(
    ("mode", "cause"),
    [
        ("F14", {"code": "env.missing", "subject": "variable worker SERVICE_ROLE_KEY", "component": "configuration"}),
        ("F10", {"code": "db.refused", "subject": "variable worker DATABASE_URL", "component": "worker"}),
        ("F17", {"code": "build.broken", "subject": "image worker", "component": "build"}),
    ],
)
def test_a_known_cause_takes_the_restarts_with_it(mode: str, cause: dict[str, Any]) -> None:
    (found,) = concluded([check("test_cause", **cause), check("test_restarts", **RESTARTS)])
    assert found.failure_mode == mode


def test_restarts_without_a_cause_are_a_finding_of_the_service() -> None:
    (found,) = concluded([check("test_restarts", **RESTARTS)])
    assert (found.component, found.failure_mode) == ("worker", None)
