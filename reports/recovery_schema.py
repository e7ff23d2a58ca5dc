"""What verdict.json says of recoveries after drills."""

from __future__ import annotations

from typing_extensions import TypedDict


class SpreadData(TypedDict):
    """Seconds with their spread: `interval` holds the median with probability `coverage`, whatever the distribution."""

    seconds: list[float]
    median: float
    low: float
    high: float
    interval: tuple[float, float]
    coverage: float


class RecoveryData(TypedDict):
    """How soon all was normal after a drill, in seconds from the end of the disturbance.

    `parts`: of each part, and of `all` of them together; a recovery that was not seen to its end counts for no part that was
    missing. `unrecovered` says of each such recovery what was not normal. `earlier` are those of earlier runs on the same
    target, `slower_s` by how much this run's median lies above theirs where that is more than their spread.
    """

    drill: str
    target: str
    limit_s: float
    parts: dict[str, SpreadData]
    unrecovered: list[str]
    missed: bool
    earlier: SpreadData | None
    slower_s: float | None
