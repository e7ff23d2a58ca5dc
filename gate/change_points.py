"""Where a series of response times shifted, found with apache-otava (E-divisive with a t-test).

A shift counts when it is significant, large enough between the medians on its two sides, and seen in enough runs on both.
Values are compared as logarithms, because a response time doubles as easily as it halves, and lone outliers are taken for
what their neighbours are: one slow run is no shift.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from gate.internals import otava_
from spec.model import Shifts

# A spread of zero would make an outlier of every other value.
LEAST_SPREAD = 0.01
# Makes the median deviation of normal noise its standard deviation.
TO_SIGMA = 1.4826
# Candidates may be so many times less significant than what is kept: what lies between them is not known yet.
WEAK = 10


@dataclass(frozen=True)
class Shift:
    """From `index` on the values are others: `before` and `now` are the medians on its sides."""

    index: int
    before: float
    now: float
    p_value: float
    shorter_side: int

    @property
    def size(self) -> float:
        """The same for up and down: the distance on a logarithmic scale."""
        return abs(math.log(self.now / self.before))

    @property
    def change(self) -> float:
        """By how much, as a fraction of the value before."""
        return self.now / self.before - 1


def find(values: Sequence[float], rule: Shifts) -> list[Shift]:
    """The shifts of one series, oldest first; none where it is too short to tell."""
    if len(values) < rule.fewest_runs or min(values) <= 0:
        return []
    calm = without_outliers([math.log(value) for value in values], rule)
    found = Sides(calm, otava_.candidates(calm, rule.window, WEAK * rule.max_p_value))
    while (weakest := found.weakest(rule)) is not None:
        found.indexes.remove(weakest)
    return found.shifts()


@dataclass
class Sides:
    """A series of logarithms that is split at indexes."""

    calm: Sequence[float]
    indexes: list[int]

    def shifts(self) -> list[Shift]:
        """Each index with the medians of the whole sides, and how likely they are the same."""
        bounds = [0, *self.indexes, len(self.calm)]
        found = []
        for start, index, end in zip(bounds, self.indexes, bounds[2:], strict=False):
            sides = self.calm[start:index], self.calm[index:end]
            before, now = (math.exp(statistics.median(side)) for side in sides)
            found.append(Shift(index, before, now, otava_.p_value(*sides), min(map(len, sides))))
        return found

    def weakest(self, rule: Shifts) -> int | None:
        """The index that is none by the rule: the least significant one, else the shortest, else the smallest; or None."""
        found = self.shifts()
        if not found:
            return None
        unlikely = max(found, key=lambda shift: shift.p_value)
        if not unlikely.p_value < rule.max_p_value:
            return unlikely.index
        short = min(found, key=lambda shift: (shift.shorter_side, shift.size))
        if short.shorter_side < rule.fewest_on_a_side:
            return short.index
        small = min(found, key=lambda shift: shift.size)
        return small.index if small.size < math.log1p(rule.least_change) else None


def without_outliers(values: Sequence[float], rule: Shifts) -> list[float]:
    """The values, one that is unlike the neighbours on both of its sides replaced by the median of the nearer side."""
    limit = rule.outlier_spreads * max(LEAST_SPREAD, _noise(values))
    found = []
    for index, value in enumerate(values):
        sides = values[max(0, index - rule.neighbours) : index], values[index + 1 : index + 1 + rule.neighbours]
        nearer = min((statistics.median(side) for side in sides if side), key=lambda middle: abs(value - middle))
        found.append(nearer if abs(value - nearer) > limit else value)
    return found


def _noise(values: Sequence[float]) -> float:
    """Standard deviation of the noise, from the steps between neighbours: a shift is one step and hardly counts."""
    steps = [abs(later - earlier) for earlier, later in itertools.pairwise(values)]
    return TO_SIGMA * statistics.median(steps) / math.sqrt(2)
