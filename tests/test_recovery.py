"""Recovery times: their spread, their targets, earlier runs, and what verdict.json, page and terminal say of them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.document_run import DocumentRun
from fixtures.drills.observation import BROKEN, OK, PartSeen, Recovery
from fixtures.drills.recovering import Recovering
from fixtures.drills.recovery_times import RecoveryTimes
from gate import history
from gate.failures import Failure
from gate.history import KeptRecoveries, Recovered
from gate.session import Session
from gate.spread import slower_by, spread
from reports import kept, recoveries, recovery_plot, summary
from reports.recovery_schema import RecoveryData
from reports.review import Review
from reports.schema import SummaryData
from reports.terminal import closing_lines
from reports.wording import Target, Words
from spec.model import PartName
from tests.recorded import SPEC, a_session, a_verdict

RULE = SPEC.recovery


# ── Spread ───────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("values", "interval", "coverage"),
    [
        ([3.0], (3.0, 3.0), 0.0),
        ([3.0, 1.0, 2.0], (1.0, 3.0), 0.75),
        ([5.0, 1.0, 2.0, 3.0, 4.0], (1.0, 5.0), 0.9375),
        ([float(n) for n in range(9)], (1.0, 7.0), 0.9609375),
    ],
)
def test_the_interval_of_a_median_says_what_it_covers(
    values: list[float], interval: tuple[float, float], coverage: float
) -> None:
    found = spread(values, 0.95)
    assert (found.interval, found.coverage) == (interval, coverage)
    assert (found.low, found.high, found.count) == (min(values), max(values), len(values))


def test_the_interval_covers_the_median_as_often_as_it_says() -> None:
    rng, times = random.Random(1), 4000
    # Skewed, as times are: the median of an exponential distribution is ln 2.
    samples = [spread([rng.expovariate(1) for _ in range(9)], 0.95) for _ in range(times)]
    covered = sum(found.interval[0] <= 0.6931 <= found.interval[1] for found in samples) / times
    assert covered == pytest.approx(samples[0].coverage, abs=0.015)


EARLIER = [4.0, 4.2, 4.1, 4.4, 3.9]


@pytest.mark.parametrize(
    ("earlier", "now", "rise"),
    [
        (EARLIER, [6.5], 2.4),
        (EARLIER, [6.0], None),  # not half as long again
        ([1.0, 1.1, 1.0, 1.2, 1.0], [1.9], None),  # less than a second
        ([2.0, 8.0, 3.0, 2.0, 4.0], [8.5], None),  # within their spread
        (EARLIER[:4], [20.0], None),  # too few to tell
        (EARLIER, [], None),
        (EARLIER, [4.0, 20.0, 4.1], None),  # once is no rise
    ],
)
def test_only_what_exceeds_the_spread_is_slower(earlier: list[float], now: list[float], rise: float | None) -> None:
    found = slower_by(earlier, now, RULE)
    assert found == (rise if rise is None else pytest.approx(rise))


# ── Targets and earlier runs ─────────────────────────────────────────────────────────────────────────────
def recovery(total: float, remaining: Sequence[PartName] = ()) -> Recovery:
    """A recovery whose parts took so long, or did not end."""
    parts: tuple[PartName, ...] = ("health", "chat")
    seconds = {name: total for name in parts if name not in remaining}
    failure = Failure("http.unreachable", "endpoint GET /health")
    return Recovery(seconds, {name: PartSeen(name, BROKEN, failure=failure) for name in remaining}, 60)


def remembered(folder: Path, session: Session, totals: Sequence[float], speedup: float = 1.0) -> None:
    """Earlier runs with one drill each."""
    path = history.target_folder(folder, session) / history.RECOVERIES
    for total in totals:
        kept.append(path, a_run([total], speedup), 200, lambda text: text)


def a_run(
    totals: Sequence[float | None], speedup: float = 1.0, drill: str = "openai_down", limit: float = 125.0
) -> KeptRecoveries:
    """A run with one drill, so often."""
    ones: list[Recovered] = [
        {"drill": drill, "target": "openai", "limit": limit, "total": total, "seconds": {"health": total or 1.0},
         "remaining": {} if total else {"chat": "chat broken"}}
        for total in totals
    ]  # fmt: skip
    return {
        "schema": 1, "run_id": "r", "started_at": "2026-01-01", "release": "1", "speedup": speedup, "recoveries": ones,
    }  # fmt: skip


@pytest.fixture
def times(tmp_path: Path) -> RecoveryTimes:
    """Recoveries of a run without earlier ones."""
    return RecoveryTimes(a_session(tmp_path), tmp_path)


def test_a_recovery_within_its_target_is_kept(times: RecoveryTimes, tmp_path: Path) -> None:
    times.require("openai_down", "openai", recovery(3.0))
    (found,) = recoveries.read(tmp_path / "run" / "recoveries")
    assert (found["drill"], found["total"], found["limit"]) == ("openai_down", 3.0, 125.0)
    assert found["seconds"] == {"health": 3.0, "chat": 3.0}


def test_the_limit_of_a_twin_is_divided_by_its_speed(tmp_path: Path) -> None:
    fast = RecoveryTimes(a_session(tmp_path, HARNESS_SPEEDUP="60"), tmp_path)
    assert fast.limit("openai") == RULE.targets["openai"].seconds / 60 + RULE.targets["openai"].grace
    assert fast.patience("openai") == fast.limit("openai") * RULE.patience


def test_a_late_recovery_is_a_finding(times: RecoveryTimes) -> None:
    with pytest.raises(Failure) as caught:
        times.require("openai_down", "openai", recovery(126.0), "chat")
    failure = caught.value
    assert (failure.code, failure.subject, failure.component) == ("recovery.missed", "drill openai_down", "chat")
    assert failure.observed["seconds"] == 126.0


def test_a_recovery_without_an_end_is_a_finding_that_names_what_remains(times: RecoveryTimes, tmp_path: Path) -> None:
    failure = times.record("openai_down", "openai", recovery(2.0, remaining=["chat"]))
    assert failure is not None
    assert failure.code == "recovery.missed"
    assert "chat broken" in str(failure.observed["detail"])
    (found,) = recoveries.read(tmp_path / "run" / "recoveries")
    assert (found["total"], list(found["remaining"])) == (None, ["chat"])


def test_slower_than_earlier_runs_is_a_finding(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    remembered(tmp_path, session, EARLIER)
    with pytest.raises(Failure) as caught:
        RecoveryTimes(session, tmp_path).require("openai_down", "openai", recovery(9.0))
    assert (caught.value.code, caught.value.subject) == ("recovery.slow", "drill openai_down")
    assert caught.value.observed["earlier"] == 5


def test_runs_at_another_speed_are_not_compared(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    remembered(tmp_path, session, EARLIER, speedup=60)
    RecoveryTimes(session, tmp_path).require("openai_down", "openai", recovery(9.0))


def reviewed(folder: Path, faults: tuple[str, ...] = ()) -> tuple[list[RecoveryData], list[KeptRecoveries]]:
    """What the review of a run with one drill concludes, and what is kept of it."""
    session = a_session(folder)
    session = Session(replace(session.run, faults=faults), session.system, SPEC)
    RecoveryTimes(session, folder).require("openai_down", "openai", recovery(3.0))
    config: Any = SimpleNamespace(option=SimpleNamespace(history=str(folder), out=str(folder)))
    review = Review(config, session, "2026-01-02")
    data = a_verdict("pass")
    review.add_to(data, [], [], Words(Target.of(session.api_url, SPEC, [])))
    return data["recoveries"], history.read_lines(review.folder / history.RECOVERIES)


def test_a_run_is_kept_for_the_next_unless_it_was_broken_on_purpose(tmp_path: Path) -> None:
    found, kept_runs = reviewed(tmp_path / "broken", ("F01",))
    assert [entry["drill"] for entry in found] == ["openai_down"]
    assert kept_runs == []
    for number in (1, 2):
        found, kept_runs = reviewed(tmp_path / "whole")
        assert len(kept_runs) == number
    assert found[0]["earlier"] is not None
    assert kept_runs[-1]["recoveries"][0]["total"] == 3.0


# ── Waiting until all is normal ──────────────────────────────────────────────────────────────────────────
class Scripted:
    """Parts that are broken for so many looks; a document is complete after two looks, and the first job fails on request."""

    def __init__(self, health: int = 0, upload: int = 0, chat: int = 0, failing_jobs: int = 0, flaps: int = 0) -> None:
        self._left = {"health": health, "upload": upload, "chat": chat, "flaps": flaps}
        self._failing_jobs = failing_jobs
        self._steps = count()
        self.uploads = 0

    def _seen(self, name: PartName, key: str) -> PartSeen:
        self._left[key] -= 1
        return PartSeen(name, BROKEN if self._left[key] >= 0 else OK)

    def look(self, name: PartName) -> PartSeen:
        """Broken as long as the script says."""
        return self._seen(name, "health") if name == "health" else PartSeen(name, OK)

    def upload(self) -> tuple[PartSeen, DocumentRun | None]:
        """A document, once the script lets one through."""
        seen = self._seen("upload", "upload")
        self.uploads += seen.is_ok
        return seen, DocumentRun("x") if seen.is_ok else None

    def job_step(self, run: DocumentRun) -> PartSeen | None:
        """Complete after some looks; the first ones fail."""
        if next(self._steps) % 3 < 2:
            return None
        self._failing_jobs -= 1
        run.outcome = "failed" if self._failing_jobs >= 0 else "complete"
        return PartSeen("job", BROKEN if run.outcome == "failed" else OK)

    def ask(self, run: DocumentRun | None = None) -> dict[PartName, PartSeen]:
        """Retrieval works, chat as the script says."""
        return {"retrieval": PartSeen("retrieval", OK), "chat": self._seen("chat", "chat")}


QUICK = SPEC.steady_state.model_copy(
    update={"parts": {name: part.model_copy(update={"pause": 0.001}) for name, part in SPEC.steady_state.parts.items()}}
)


def wait_for(probe: Scripted, deadline: float = 5.0, *names: PartName) -> Recovery:
    """A recovery of these parts."""
    return Recovering(probe, QUICK, list(names or QUICK.parts), deadline, None).run()


def test_every_part_has_its_own_seconds() -> None:
    found = wait_for(Scripted(health=20, upload=3, chat=2))
    assert found.is_normal
    assert list(found.seconds) == list(QUICK.parts)
    assert found.total == max(found.seconds.values())


def test_a_failed_job_is_followed_by_another_document() -> None:
    probe = Scripted(failing_jobs=2)
    assert wait_for(probe).is_normal
    assert probe.uploads == 3


def test_what_stays_broken_ends_with_the_deadline_and_says_so() -> None:
    found = wait_for(Scripted(chat=10**9), 0.3)
    assert list(found.remaining) == ["chat"]
    assert found.total is None
    assert "retrieval" in found.seconds


def test_a_part_that_breaks_again_counts_from_anew() -> None:
    probe = Scripted(chat=20)
    looks = iter([OK, BROKEN, BROKEN])

    def look(name: PartName) -> PartSeen:
        return PartSeen(name, next(looks, OK) if name == "health" else OK)

    probe.look = look  # type: ignore[method-assign]
    found = wait_for(probe, 5.0, "health", "chat")
    assert found.is_normal
    assert next(looks, None) is None


def test_only_what_is_asked_for_is_waited_for() -> None:
    probe = Scripted(upload=10**9)
    assert list(wait_for(probe, 5.0, "health", "chat").seconds) == ["health", "chat"]
    assert probe.uploads == 0


# ── Verdict, page, terminal ──────────────────────────────────────────────────────────────────────────────
def concluded() -> list[RecoveryData]:
    """Three drills: one as before, one that is slower, one that did not end."""
    now = [
        *a_run([4.0, 4.4, 4.1])["recoveries"],
        *a_run([9.0], drill="worker_killed", limit=158.0)["recoveries"],
        *a_run([3.0, None], drill="api_restarted", limit=20.0)["recoveries"],
    ]
    earlier = [a_run([total], drill=drill) for total in EARLIER for drill in ("openai_down", "worker_killed")]
    return recoveries.conclude(now, earlier, 1.0, RULE)


def test_drills_are_concluded_with_their_spread() -> None:
    ended, slower, calm = concluded()
    assert [entry["drill"] for entry in (ended, slower, calm)] == ["api_restarted", "worker_killed", "openai_down"]
    assert (ended["missed"], ended["unrecovered"]) == (True, ["chat broken"])
    assert slower["slower_s"] == pytest.approx(4.9)
    assert (calm["missed"], calm["slower_s"]) == (False, None)
    assert calm["parts"]["all"]["interval"] == (4.0, 4.4)
    assert calm["parts"]["all"]["coverage"] == 0.75
    assert calm["earlier"] is not None
    assert calm["earlier"]["median"] == 4.1


def test_the_terminal_says_so_only_where_drills_ran() -> None:
    run = a_verdict("fail")
    assert not [line for line in closing_lines(run, "out") if line.startswith("recovery")]
    run["recoveries"] = concluded()
    lines = closing_lines(run, "out")
    assert "recovery   3 drills; nearest to its limit: api_restarted (3.0 s; 1 without an end; limit 20.0 s)" in lines
    assert "too late   api_restarted: 3.0 s; 1 without an end; limit 20.0 s" in lines
    assert "slower     worker_killed: 9.0 s; limit 158.0 s; 5 earlier 4.1 s, slower by 4.9 s" in lines


def test_the_page_plots_them_only_where_drills_ran(tmp_path: Path) -> None:
    run = a_verdict("pass")
    data: SummaryData = {
        "run": run, "documents": [], "document_limit_s": 1.0, "response_times": [], "access": [], "slowest": [],
        "suites": {"8.2.1": "x"}, "speedup": 1.0,
    }  # fmt: skip
    summary.write(tmp_path, data, lambda text: text)
    assert "Recovery after drills" not in (tmp_path / "index.html").read_text()
    run["recoveries"] = json.loads(json.dumps(concluded()))
    summary.write(tmp_path, data, lambda text: text)
    page = (tmp_path / "index.html").read_text()
    assert page.count('<svg class="strip"') == 3
    assert page.count("<circle") == 5
    assert "the median lies between 4.0 and 4.4 s with 75 %" in page


def test_every_mark_stands_on_the_scale() -> None:
    for strip in recovery_plot.strips(concluded()):
        places = [strip["limit_at"], strip["earlier_at"] + strip["earlier_width"], *(at for at, _ in strip["dots"])]
        assert all(0 <= place <= 100 for place in places)
