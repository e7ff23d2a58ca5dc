"""The grid of the queue's situations, and what rows show of attempts and of places."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.queue.attempts import Waited, delays, is_endless, reasons, retries_of, share_kept, wrong_delays
from fixtures.queue.places import Places
from fixtures.queue.rows_of_jobs import Look
from spec import load
from spec.queue_grid import ABANDONED, DUE, LATER, WAITING, Situation, situations

SPEC = load()
BASE, TOLERANCE = 5.0, 0.25


def look(retries: int, changed: float, due: float | None = None, state: str = "retryable", error: Any = None) -> Look:
    return Look("uploaded", state, retries, changed, due, error)


def test_each_situation_has_a_name_of_its_own_and_every_stage_every_state() -> None:
    found = list(situations(SPEC))
    assert found == list(situations(SPEC))
    assert len({one.name for one in found}) == len(found)
    for stages in SPEC.queue.grid.rounds:
        for stage in stages:
            states = {one.state for one in found if one.stage == stage}
            wanted = set(SPEC.queue.grid.only.get(stage, SPEC.queue.grid.attempts))
            assert states == wanted if stage not in SPEC.queue.grid.fewer else states <= wanted
    assert {(one.stage, one.claims) for one in found if one.stage == "chunks_stored"} >= {
        ("chunks_stored", n) for n in range(1, 5)
    }


def test_only_what_is_tried_too_often_or_broken_may_fail() -> None:
    grid = SPEC.queue.grid
    assert not Situation(0, "chunks_stored", "vectors", ABANDONED, 2, 2, 1.0).may_fail(grid, 3)
    assert Situation(0, "chunks_stored", "vectors", ABANDONED, 0, 3, 1.0).may_fail(grid, 3)
    assert Situation(0, "chunks_stored", "vectors", DUE, 3, 0, 1.0).may_fail(grid, 3)
    assert Situation(0, "embeddings_stored", "some_vectors", WAITING, 0, 0, 1.0).may_fail(grid, 3)


def test_delays_are_those_of_the_row_and_of_the_next_attempt() -> None:
    looks = [look(0, 1.0, state="queued"), look(1, 10.0, 15.0), look(1, 16.0, state="working"), look(2, 17.0, 27.0)]
    assert list(delays(looks, "working")) == [Waited(1, 5.0, True), Waited(1, 6.0, False), Waited(2, 10.0, True)]


@pytest.mark.parametrize(("last", "counted"), [(3, 4), (3, 3), (2, 3), (5, 6)])
def test_retries_are_counted_up_to_the_last_failure(last: int, counted: int) -> None:
    failed = Look("failed_parse", "deadletter", counted, 90.0, None, None)
    looks = [look(0, 1.0, state="queued"), *(look(n, 10.0 * n, 10.0 * n + 5) for n in range(1, last + 1))]
    assert retries_of([*looks, failed], "working", "failed_") == last
    assert retries_of(looks, "working", "failed_") is None
    assert retries_of([looks[0], failed], "working", "failed_") is None


@pytest.mark.parametrize("seconds", [(5, 10, 20), (10, 20, 40), (5.5, 9, 22)])
def test_delays_that_double_are_right_wherever_n_begins(seconds: tuple[float, ...]) -> None:
    assert not wrong_delays([Waited(n, s, True) for n, s in enumerate(seconds, 1)], BASE, TOLERANCE, 1.0)


@pytest.mark.parametrize("seconds", [(5, 10, 10), (5, 5, 20), (5, 10, 40), (0, 10, 20), (5, 20, 20)])
def test_each_delay_that_does_not_is_wrong(seconds: tuple[float, ...]) -> None:
    assert wrong_delays([Waited(n, s, True) for n, s in enumerate(seconds, 1)], BASE, TOLERANCE, 1.0)


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([look(1, 1.0), look(1, 11.0), look(1, 12.0), look(1, 13.0)], True),
        # Before its time is over it may be looked at as often as a worker likes.
        ([look(1, 1.0), look(1, 8.0), look(1, 9.0), look(1, 11.0)], False),
        # An attempt that failed counts, and leads to an end.
        ([look(1, 1.0), look(1, 11.0), look(2, 12.0), look(2, 13.0)], False),
        ([look(1, 1.0)], False),
    ],
)
def test_endless_is_what_is_taken_again_without_an_attempt_after_its_time(looks: list[Look], expected: bool) -> None:
    assert is_endless(looks, 10.0, 3) is expected


def test_a_retry_may_begin_later_and_never_earlier() -> None:
    assert not wrong_delays([Waited(1, 34.0, False)], BASE, TOLERANCE, 30.0)
    assert wrong_delays([Waited(1, 2.0, False)], BASE, TOLERANCE, 30.0)


WHY = {"stage": "uploaded", "reason": "storage answered 404: Object not found", "attempt": 3}


@pytest.mark.parametrize(
    ("last", "is_same"),
    [
        ({"stage": "uploaded", "reason": "storage answered 404: Object not found", "attempt": 4}, True),
        ({"error": "gave up after 4 attempts: storage answered 404: object not found"}, True),
        ("uploaded: storage answered 404: Object not found", True),
        ({"stage": "uploaded", "reason": "gave up after 4 attempts"}, False),
        ({"stage": "uploaded", "reason": "RuntimeError"}, False),
        (None, False),
        ({}, False),
    ],
)
def test_the_last_reason_is_that_of_the_attempts(last: Any, is_same: bool) -> None:
    looks = [look(2, 1.0, error=WHY), Look("failed_parse", "deadletter", 4, 2.0, None, last)]
    found = reasons(looks, "failed_")
    assert found == (WHY, last)
    assert (share_kept(*found, SPEC.pipeline.stages) >= SPEC.queue.same_reason_share) is is_same


def places(*touched: str, state: str = DUE) -> list[tuple[str, str, str]]:
    found = Places()
    old, young = (Situation(0, "parsed", "text", *rest) for rest in ((state, 1, 0, 100.0), (WAITING, 0, 0, 1.0)))
    before = {"old": look(1, 0.0), "young": look(0, 0.0, state="queued")}
    found.begin({"old": old, "young": young}, before)
    for number, names in enumerate(touched, 1):
        before |= {name: look(0, float(number), state="working") for name in names.split()}
        found.look(before)
    return found.passed(SPEC.pipeline)


def test_an_older_job_that_was_tried_before_is_taken_first() -> None:
    assert places("young", "", "old")
    assert not places("old", "", "young")
    assert not places("young", "old"), "its claim may not have been visible yet"
    assert not places("young", "", ""), "a job that is never taken is another matter"
    assert not places("young", "", "old", state=LATER)
