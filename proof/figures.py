"""Figures that were counted, with what they allow to be said: a share of so many tries has a confidence bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.stats import binomtest

CONFIDENCE = 0.95
# Closer to nothing or everything than this, a bound is given with one decimal (per cent).
FINE_PERCENT = 2.0


@dataclass(frozen=True)
class Share:
    """So many of so many. The bounds are exact (Clopper-Pearson), one-sided, at 95 % confidence, as fractions."""

    count: int
    of: int

    @property
    def upper(self) -> float:
        """The true share is below this; 1 where nothing was tried."""
        return float(binomtest(self.count, self.of, alternative="less").proportion_ci(CONFIDENCE).high) if self.of else 1.0

    @property
    def lower(self) -> float:
        """The true share is above this; 0 where nothing was tried."""
        return float(binomtest(self.count, self.of, alternative="greater").proportion_ci(CONFIDENCE).low) if self.of else 0.0

    @property
    def below(self) -> str:
        """For what should not happen: `0 of 50 (below 6 %)`, rounded up."""
        return f"{self.count} of {self.of} (below {_percent(self.upper, math.ceil)} %)"

    @property
    def above(self) -> str:
        """For what should happen: `50 of 50 (above 94 %)`, rounded down."""
        return f"{self.count} of {self.of} (above {_percent(self.lower, math.floor)} %)"

    @property
    def of_all(self) -> str:
        """For a count of everything that there is, which needs no bound: `485 of 711 (68.2 %)`."""
        return f"{self.count} of {self.of} ({100 * self.count / self.of:.1f} %)" if self.of else "0 of 0"


def _percent(fraction: float, rounded: Callable[[float], int]) -> str:
    percent = 100 * fraction
    steps = 10 if min(percent, 100 - percent) < FINE_PERCENT else 1
    # What arithmetic adds in the last place must not round a bound to the next step.
    return f"{rounded(round(percent * steps, 6)) / steps:g}"
