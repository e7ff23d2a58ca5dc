"""Events of documents that took the same steps."""

from __future__ import annotations

import pytest

from fixtures.queue.recorded import Recorded, RecordedSteps
from gate.failures import Failure
from tests.recorded import SPEC

RULE = SPEC.pipeline
USUAL = dict.fromkeys(RULE.stages, 1)
OTHERS = [Recorded(str(number), "complete", False, USUAL) for number in range(3)]


def require(own: Recorded) -> None:
    """Judge one document beside three usual ones."""
    RecordedSteps(RULE, [*OTHERS, own]).require_alike(own.name)


@pytest.mark.parametrize(
    ("outcome", "times"),
    [
        ("complete", USUAL | {RULE.parsed_stage: 2}),
        ("complete", {stage: 1 for stage in RULE.stages if stage != RULE.parsed_stage}),
        ("complete", USUAL | {RULE.failed_status: 1}),
        ("complete", {}),
        ("failed", {RULE.stages[0]: 1, RULE.final_status: 1}),
    ],
)
def test_other_events_are_found(outcome: str, times: dict[str, int]) -> None:
    with pytest.raises(Failure) as found:
        require(Recorded("own", outcome, False, times))
    assert found.value.code == "events.other"


def test_repeats_failures_and_other_habits_are_right() -> None:
    require(Recorded("own", "complete", False, USUAL))
    require(Recorded("own", "complete", True, USUAL | {RULE.stages[0]: 3}))
    require(Recorded("own", "failed", False, {RULE.stages[0]: 1, RULE.failed_status: 1}))
    twice = [Recorded(str(number), "complete", False, {RULE.final_status: 2}) for number in range(4)]
    RecordedSteps(RULE, twice).require_alike("3")
