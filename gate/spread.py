"""How far measured seconds lie apart, and whether later ones are slower than the earlier, stated honestly for a few values."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from spec.model.recovery_times import RecoveryTimes


@dataclass(frozen=True)
class Spread:
    """Some values: their median and range, and the interval in which the median of all such values lies.

    The interval is between two of the values themselves, whatever their distribution; `coverage` is the probability with
    which it holds the median. Five values or fewer have no interval of 95 %: theirs is the whole range, with what it covers.
    """

    count: int
    median: float
    low: float
    high: float
    interval: tuple[float, float]
    coverage: float

    @property
    def width(self) -> float:
        """From the lowest to the highest."""
        return self.high - self.low


def spread(values: Sequence[float], confidence: float) -> Spread:
    """The spread of at least one value; the interval is the narrowest symmetric one that reaches the confidence."""
    ordered, count = sorted(values), len(values)
    left_out = max((k for k in range((count + 1) // 2) if _coverage(count, k) >= confidence), default=0)
    return Spread(
        count,
        statistics.median(ordered),
        ordered[0],
        ordered[-1],
        (ordered[left_out], ordered[-1 - left_out]),
        _coverage(count, left_out),
    )


def _coverage(count: int, left_out: int) -> float:
    """Probability that the median lies between the values that are left when so many are left out on each side."""
    outside = sum(math.comb(count, k) for k in range(left_out + 1))
    return max(0.0, 1 - outside / float(2 ** (count - 1)))


def slower_by(earlier: Sequence[float], now: Sequence[float], rule: RecoveryTimes) -> float | None:
    """By how many seconds the median of `now` lies above that of the earlier values, where that is more than their spread.

    None where it is not, or where there are too few earlier values to tell. A spread of a few values is smaller than that of
    many, so a rise must also be a share of the median, and some seconds.
    """
    if not now or len(earlier) < rule.fewest_earlier:
        return None
    before = statistics.median(earlier)
    rise = statistics.median(now) - before
    enough = max(max(earlier) - min(earlier), rule.least_change * before, rule.least_seconds)
    return rise if rise > enough else None
