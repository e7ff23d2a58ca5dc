"""The worker's throughput by the number of people who upload at once: linear or not."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from load.record import Documents, Sample


@dataclass(frozen=True)
class Level:
    """N people upload at once. `documents` holds the times (seconds) of this level only."""

    parallel: int
    documents: Documents
    samples: list[Sample] = field(default_factory=list)

    @property
    def median_seconds(self) -> float:
        """Median time of a document."""
        return statistics.median(self.documents.seconds) if self.documents.seconds else 0.0


def linearity(levels: Sequence[Level], tolerance: float) -> str:
    """Whether throughput grows with the number of people: one line with the figures."""
    first = levels[0]
    if not first.documents.per_minute:
        return "not enough data: the first level completed no document"
    shown, linear = [], True
    for level in levels[1:]:
        gain = level.documents.per_minute / first.documents.per_minute
        ideal = level.parallel / first.parallel
        linear = linear and gain >= ideal * (1 - tolerance)
        shown.append(f"×{gain:.1f} at {level.parallel} at once")
    return f"throughput is {'linear' if linear else 'not linear'} in parallel uploads: {', '.join(shown)}"
