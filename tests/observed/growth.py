"""Readings for the observers of growth: the last one of a series is what tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fixtures.growth import CLIENT, EVENTS, HELD, JOB, OF_DOCUMENT, ROWS, STANDING, STEP, TABLE, WORK
from gate.observers import Exchanged
from gate.session import Session
from tests.observed.cases import Case, rows
from tests.recorded import SPEC

RULE = SPEC.observing.watched_growth
JOBS = RULE.fewest_jobs + 1


def held(work: int, connections: int) -> Exchanged:
    """A reading of one client after so much work."""
    return rows({CLIENT: "staging_user", HELD: connections, WORK: work})


def counted(*events: int) -> Exchanged:
    """A reading of the events of finished jobs."""
    return rows(*({JOB: f"0a000000-0000-4000-8000-00000000000{n}", EVENTS: number} for n, number in enumerate(events)))


WAITING = "0a000000-0000-4000-8000-000000000001"


def standing(number: int, step: str = "uploaded 0", table: str = "events") -> Exchanged:
    """A reading of the rows of a job at a step."""
    return rows({TABLE: table, STANDING: WAITING, STEP: step, ROWS: number, OF_DOCUMENT: "d"})


def _series(readings: Sequence[Exchanged]) -> Callable[[Session], None]:
    def plant(session: Session) -> None:
        for reading in readings:
            session.observers.see(reading)

    return plant


# Twice in each part of a run, the last part aside, of which the last reading is missing.
WIDTH = RULE.fewest_work // (2 * RULE.parts - 1) + 1
LAST = 2 * RULE.parts - 1
RISING = [held(number * WIDTH, 1 + 3 * RULE.rise * number) for number in range(LAST)]
GROWING = [counted(*([7 + reading] * JOBS)) for reading in range(RULE.fewest_rises)]

GROWTH: Mapping[str, Case] = {
    "connections_kept": Case(
        [held(LAST * WIDTH, 100)],
        # What is given back at the end was a pool's, or a rush.
        [held(LAST * WIDTH, 1)],
        _series(RISING),
    ),
    "events_kept": Case(
        [counted(*([20] * JOBS))],
        # Most are as they were.
        [counted(20, *([6 + RULE.fewest_rises] * (JOBS - 1)))],
        _series(GROWING),
    ),
    "events_standing": Case(
        [standing(RULE.standing_rises + 1)],
        # It has gone on, or was tried again; another table; nothing new.
        [
            standing(RULE.standing_rises),
            standing(40, "parse_queued 0"),
            standing(50, "uploaded 1"),
            standing(60, table="webhook_log"),
        ],
        _series([standing(number) for number in range(1, RULE.standing_rises + 1)]),
    ),
}
