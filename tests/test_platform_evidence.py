"""What is quoted of the platform: the service's own line behind a failure, found by id, by job, by time, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fixtures.document_run import DocumentRun
from fixtures.document_runs import FOLDER
from fixtures.platform_evidence import PlatformEvidence
from gate.failures import Exchange
from gate.session import Session
from gate.timeline import PlatformSeen, TimelineEntry, Wanted
from reports import timeline
from reports.terminal import closing_lines
from tests.recorded import VALUES, a_session, a_verdict, check, concluded
from tests.servers import answering
from tests.test_log_lines import NOON, RAISED, a_log, stamp
from tests.test_render import KEY

BEGAN = NOON.timestamp() - 10
REQUEST, JOB = "0d8e5f3c-aaaa", "3f0c1b2d-7777-4444-8888-000000000001"
HEALTHY = [f"{stamp(0)} INFO api 'GET /health' 200 1.5 ms request_id=one"]
BROKEN = [*HEALTHY, f"{stamp(1)} ERROR api 'GET /me' failed request_id={REQUEST}", *RAISED]
STARTED = [f"{stamp(-4000)} INFO worker worker started, polling every 30.0 s"]


def exchange(path: str = "/me", at: float = 1.0, request_id: str = "") -> Exchange:
    """A request that was answered so many seconds after noon."""
    return Exchange("GET", VALUES["API_BASE_URL"] + path, 500, seconds=0.1, request_id=request_id, at=NOON.timestamp() + at)


def wanted(component: str, *exchanges: Exchange, first: float = 0.5, last: float = 1.5) -> Wanted:
    """What is looked for of a finding whose checks ran so many seconds after noon."""
    return Wanted(component, exchanges, NOON.timestamp() + first, NOON.timestamp() + last)


@contextmanager
def platform(folder: Path, client: TestClient) -> Iterator[Session]:
    """A session whose platform is this double."""

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        reply = client.request(method, path)
        return reply.status_code, reply.json()

    with answering(answer) as url:
        yield a_session(folder, RENDER_BASE_URL=url, RENDER_API_KEY=KEY)


def seen(
    folder: Path, *asked: Wanted, api: Sequence[str] = HEALTHY, worker: Sequence[str] = STARTED, **more: Any
) -> PlatformSeen:
    """The timelines of these findings on a twin whose services have written these lines."""
    with platform(folder, a_log(folder, {"api": api, "worker": worker}, **more)) as session:
        return PlatformEvidence(session, BEGAN).collect(asked)


def quoted(timeline: Sequence[TimelineEntry]) -> str:
    """The text of the line that tells; empty without one."""
    return next((entry.text for entry in timeline if entry.tells), "")


def test_an_error_is_found_by_the_request_id(tmp_path: Path) -> None:
    other = [f"{stamp(1)} ERROR api 'GET /other' failed request_id=another", "KeyError: 'other'"]
    found = seen(tmp_path, wanted("auth", exchange(request_id=REQUEST)), api=[*other, *BROKEN])
    assert found.note == ""
    assert quoted(found.timelines[0]) == "RuntimeError: invalid token"
    entry = next(entry for entry in found.timelines[0] if entry.tells)
    assert (entry.source, entry.kind, entry.level) == ("api", "log", "error")
    assert not any("another" in entry.text for entry in found.timelines[0])


def test_an_error_is_found_by_time_and_path(tmp_path: Path) -> None:
    at, path = (seen(tmp_path, wanted("api", exchange(*where)), api=BROKEN).timelines[0] for where in (("/me",), ("/login",)))
    assert quoted(at) == "RuntimeError: invalid token"
    assert quoted(path) == ""


def test_an_error_of_another_time_is_not_quoted(tmp_path: Path) -> None:
    assert not quoted(seen(tmp_path, wanted("api", exchange(at=30.0)), api=BROKEN).timelines[0])


@pytest.mark.parametrize("behaviour", [{"render_page": 3}, {"render_limits": {"read": 30}}])
def test_a_jobs_lines_and_its_history(tmp_path: Path, behaviour: dict[str, Any]) -> None:
    failed = json.dumps({"job_id": JOB, "final": True, "reason": "llamaparse answered 401"})
    worker = [*STARTED, *(f"{stamp(n / 10)} INFO worker job {n}" for n in range(20)), f"{stamp(2)} WARNING worker {failed}"]
    run = DocumentRun("policy", "failed", job_id=JOB, began=NOON.timestamp())
    run.stages = [("uploaded", "queued", 0.1), ("uploaded", "retryable", 0.5), ("failed_parse", "deadletter", 2.1)]
    with platform(tmp_path, a_log(tmp_path, {"api": HEALTHY, "worker": worker}, **behaviour)) as session:
        session.shared.write(f"{FOLDER}/policy.json", json.dumps(asdict(run)))
        [about_worker, about_network] = (
            PlatformEvidence(session, BEGAN).collect([wanted("worker"), wanted("network")]).timelines
        )
    assert "llamaparse answered 401" in quoted(about_worker)
    history = [entry.text for entry in about_worker if entry.kind == "status"]
    assert history == ["uploaded (queued, retryable)", "failed_parse (deadletter)"]
    assert [entry.time for entry in about_worker] == sorted(entry.time for entry in about_worker)
    assert not quoted(about_network)


def test_a_crash_long_before_the_run(tmp_path: Path) -> None:
    crash = ["Traceback (most recent call last):", '  File "runner.py", line 1', "ModuleNotFoundError: No module named 'x'"]
    found = seen(tmp_path, wanted("build"), wanted("worker"), wanted("chat"), worker=[*STARTED, *crash])
    assert [quoted(each) for each in found.timelines[:2]] == ["ModuleNotFoundError: No module named 'x'"] * 2
    assert found.timelines[0][-1].time == stamp(-4000)


def test_what_a_setting_is_set_to_has_no_line(tmp_path: Path) -> None:
    # Nothing went wrong in a service at that time.
    assert seen(tmp_path, wanted("configuration", first=100, last=101), api=BROKEN[:2]).timelines == [[]]


def test_a_worker_that_spins_is_quoted(tmp_path: Path) -> None:
    spinning = [f"{stamp(n / 100)} INFO worker job {n} is not ready" for n in range(200)]
    found = seen(tmp_path, wanted("worker"), wanted("api"), worker=spinning)
    assert "is not ready" in quoted(found.timelines[0])
    assert not quoted(found.timelines[1])


def test_events_of_the_platform_stand_beside_it(tmp_path: Path) -> None:
    # One that has not begun stays under way.
    waiting = {"srv-twinapi": {"status": "queued", "startedAt": "2099-01-01T00:00:00Z"}}
    client = a_log(tmp_path, {"api": BROKEN, "worker": STARTED}, deploys=waiting)
    for _ in range(3):
        client.post("/v1/services/srv-twinapi/restart")
    with platform(tmp_path, client) as session:
        [found] = PlatformEvidence(session, BEGAN).collect([wanted("api", exchange())]).timelines
    assert {"event", "deploy"} <= {entry.kind for entry in found}
    assert [entry.count for entry in found if entry.text.startswith("server_restarted")] == [3]


def test_without_a_key_that_is_said_once(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    found = PlatformEvidence(session, BEGAN).collect([wanted("api"), wanted("worker")])
    assert found == PlatformSeen([[], []], "platform's logs: not seen, set RENDER_API_KEY")
    data = a_verdict()
    data["platform"] = found.note
    assert sum("RENDER_API_KEY" in line for line in closing_lines(data, "out")) == 1


def slowly(*_: object) -> tuple[int, Any]:
    """An answer that nobody waits for."""
    time.sleep(2)
    return 200, []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda *_: (500, {"message": "internal error"}), "500"),
        (lambda *_: (200, {"no": "list"}), "no"),
        (slowly, "time"),
    ],
)
def test_a_platform_that_fails_is_noted_and_costs_little(
    tmp_path: Path, answer: Callable[..., tuple[int, Any]], why: str
) -> None:
    with answering(answer) as url:
        session = a_session(tmp_path, RENDER_BASE_URL=url, RENDER_API_KEY=KEY)
        rule = session.spec.evidence.model_copy(update={"seconds": 1.0, "request_seconds": 1.0})
        session.spec = session.spec.model_copy(update={"evidence_section": rule})
        started = time.monotonic()
        found = PlatformEvidence(session, BEGAN).collect([wanted("api", exchange())])
    assert found.timelines == [[]]
    assert found.note.startswith("platform's logs: not all were seen")
    assert why in found.note
    assert time.monotonic() - started < 5


# ── reports ──────────────────────────────────────────────────────────────────────────────────────────────


class Hook:
    """Stands in for pytest's hooks."""

    def __init__(self, found: PlatformSeen | Exception | None) -> None:
        self.found = found
        self.asked: list[Sequence[Wanted]] = []

    def pytest_gate_evidence(self, session: Session, wanted: Sequence[Wanted], began: float) -> PlatformSeen | None:
        """What was given."""
        self.asked.append(wanted)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def test_a_green_run_asks_nothing(session: Session) -> None:
    hook = Hook(PlatformSeen())
    timeline.see(hook, session, [], [check(outcome="passed")], 1.0, 2.0)
    assert hook.asked == []


def test_what_is_wanted_of_a_finding(session: Session) -> None:
    failed = [check(f"t{n}", code="http.status", subject="endpoint GET /me", exchange=exchange(at=n)) for n in (1, 2)]
    for number, each in enumerate(failed):
        each.duration, each.ended = 0.5, 100.0 + number
    hook = Hook(None)
    assert timeline.see(hook, session, concluded(failed), failed, 1.0, 2.0) == PlatformSeen()
    [[asked]] = hook.asked
    assert (asked.first, asked.last) == (99.5, 101.0)
    assert asked.exchanges == (exchange(at=1), exchange(at=2))


def test_a_collector_that_breaks_changes_no_verdict(session: Session) -> None:
    failed = [check()]
    found = timeline.see(Hook(RuntimeError("oh")), session, concluded(failed), failed, 1.0, 2.0)
    assert found == PlatformSeen(note="platform's logs: not seen (RuntimeError: oh)")


def test_the_terminal_quotes_the_line_of_the_first_finding() -> None:
    data = a_verdict()
    entry = TimelineEntry(stamp(1), "api", "log", "RuntimeError: \x1b[31minvalid token", "error", 3, tells=True)
    data["findings"][0]["timeline"] = timeline.as_data([entry])
    [line] = [line for line in closing_lines(data, "out") if line.startswith("log ")]
    assert line == f"log        api {stamp(1)[11:19]} RuntimeError:  [31minvalid token (3 times)"
