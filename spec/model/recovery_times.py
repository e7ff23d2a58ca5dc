"""§7 Emergency Procedures: how soon all is normal again after a disturbance, and what is slower than before."""

from __future__ import annotations

from pydantic import Field, PositiveFloat

from spec.model.base import Entry, Sectioned


class RecoveryTarget(Entry):
    """Within how many seconds all must be normal: waits one after the other, which a twin divides, and `grace`, which stays."""

    title: str = Field(min_length=1)
    waits: list[PositiveFloat] = Field(min_length=1)
    grace: float = Field(ge=0)

    @property
    def seconds(self) -> float:
        """All waits together."""
        return sum(self.waits)

    def limit(self, speedup: float) -> float:
        """Seconds on a system whose waits are divided by its speed-up."""
        return self.seconds / speedup + self.grace


class RecoveryTimes(Sectioned):
    """Targets by what was disturbed, and how recoveries are compared with earlier ones."""

    # How many limits long a recovery is waited for, so that one that misses its target has a figure as well.
    patience: float = Field(ge=1)
    # Probability that is wanted of the interval of a median.
    confidence: float = Field(gt=0, lt=1)
    # Slower than before: by more than the range of so many earlier ones at least, a share of their median, and some seconds.
    fewest_earlier: int = Field(gt=1)
    least_change: float = Field(gt=0)
    least_seconds: float = Field(ge=0)
    targets: dict[str, RecoveryTarget] = Field(min_length=1)
