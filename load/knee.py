"""The knee: the highest rate of arrivals that still meets every target. Steps upwards, then halves the gap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spec.model import Stress


@dataclass(frozen=True)
class Step:
    """One rate, held for a while: arrivals a second, whether all targets held, and what did not."""

    rate: float
    holds: bool
    why: str
    p95_ms: dict[str, float]


def find_knee(rule: Stress, hold: Callable[[float], Step], has_recovered: Callable[[], bool] = lambda: True) -> list[Step]:
    """Grow the rate until a target breaks, then halve the gap until it is narrow enough; the steps in the order taken.

    A target that does not recover from a step is asked no further: the knee is then known no better than by the last step.
    """
    steps, good, bad, rate = [], 0.0, 0.0, rule.first_rate
    while not bad and rate <= rule.last_rate:
        steps.append(hold(rate))
        good, bad = (rate, bad) if steps[-1].holds else (good, rate)
        rate *= rule.growth
    while good and bad and (bad - good) / good > rule.precision and (steps[-1].holds or has_recovered()):
        middle = round((good + bad) / 2, 1)
        steps.append(hold(middle))
        good, bad = (middle, bad) if steps[-1].holds else (good, middle)
    return steps
