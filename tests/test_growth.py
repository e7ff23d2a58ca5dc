"""Growth of connections and events: what is judged of a series of readings, and what too few of them say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.observers.growth import ConnectionsKept, EventsKept, EventsStanding
from gate.observers import Exchanged, notes
from tests.observed.cases import answered
from tests.observed.growth import LAST, RULE, WAITING, WIDTH, counted, held, standing
from tests.recorded import a_session

POOL = [3, 10, 10, 9, 10, 10, 10, 8, 10, 10]


def judged(folder: Path, name: str, readings: Sequence[Exchanged]) -> notes.Noted:
    """What an observer noted of these readings."""
    session = a_session(folder)
    for reading in readings:
        session.observers.see(reading)
    session.observers.end()
    found = notes.read(session.shared, name)
    session.close()
    return found


@pytest.mark.parametrize(
    ("connections", "fails"),
    [
        (POOL, False),
        # Pools of several processes, each with its own rushes.
        ([2, 14, 14, 18, 18, 20, 20, 21, 21, 22], False),
        # One for each of some kind of work, beside a pool.
        ([3, 10, 12, 14, 16, 18, 19, 21, 23, 25], True),
        # Given back after the work.
        ([3, 10, 14, 18, 22, 26, 30, 34, 38, 10], False),
    ],
)
def test_a_pool_levels_off_and_a_leak_does_not(tmp_path: Path, connections: list[int], fails: bool) -> None:
    found = judged(tmp_path, ConnectionsKept.name, [held(n * WIDTH, each) for n, each in enumerate(connections)])
    assert bool(found.failures) is fails
    assert found.seen == len(connections) == LAST + 1


def test_little_work_and_few_readings_say_nothing(tmp_path: Path) -> None:
    growing = [held(n, 50 * n) for n in range(RULE.fewest_work)]
    assert judged(tmp_path / "idle", ConnectionsKept.name, growing).seen == 0
    few = [held(n * RULE.fewest_work, 50 * n) for n in range(RULE.parts)]
    assert judged(tmp_path / "few", ConnectionsKept.name, few).seen == 0
    jobs = [counted(*range(reading, reading + RULE.fewest_jobs - 1)) for reading in range(9)]
    assert judged(tmp_path / "jobs", EventsKept.name, jobs).seen == 0


def test_a_job_that_is_tried_again_gets_events_once(tmp_path: Path) -> None:
    again = [counted(*[7] * RULE.fewest_jobs), *[counted(*[9] * RULE.fewest_jobs)] * 3]
    found = judged(tmp_path, EventsKept.name, again)
    assert (found.failures, found.seen) == ({}, len(again) * RULE.fewest_jobs)


@pytest.mark.parametrize(("requests", "component"), [(3, "api"), (0, "worker"), (9, "worker")])
def test_rows_that_come_with_every_request_are_the_apis(tmp_path: Path, requests: int, component: str) -> None:
    readings = [standing(0)]
    for number in range(1, RULE.standing_rises + 1):
        readings += [answered("job", {}, at={"job_id": WAITING})] * requests
        readings.append(standing(3 * number))
    [failure] = judged(tmp_path, EventsStanding.name, readings).failures.values()
    assert failure["component"] == component
