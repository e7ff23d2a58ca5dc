"""A part is unavailable when it answers none of the probes; one whose connections break now and then is not."""

import pytest

from gate.prerequisites import BROKEN, CONFIRM_PROBES, MOST_PROBES, Trouble, lasting_trouble

SILENT = Trouble("no answer", "timeout")
BREAKS = Trouble("the connection breaks", BROKEN)


@pytest.mark.parametrize(
    ("found", "asked", "wrong"),
    [
        ([None], 1, None),
        ([SILENT, None], 2, None),
        ([SILENT] * CONFIRM_PROBES, CONFIRM_PROBES, SILENT),
        ([BREAKS] * (MOST_PROBES - 1) + [None], MOST_PROBES, None),
        ([BREAKS] * MOST_PROBES, MOST_PROBES, BREAKS),
    ],
    ids=["it answers", "at the second probe", "at none", "at the last", "every connection breaks"],
)
def test_what_is_wrong_at_every_probe(found: list[Trouble | None], asked: int, wrong: Trouble | None) -> None:
    answers = iter(found)
    seconds: list[float] = []

    def probe(limit: float) -> Trouble | None:
        seconds.append(limit)
        return next(answers)

    assert lasting_trouble(probe, 3.0, CONFIRM_PROBES) is wrong
    assert seconds == [3.0] * asked
