"""How true and how cheap the load's figures are: `make bench` writes docs/benchmarks.md."""

from collections.abc import Sequence

PERCENTS = (50, 90, 95, 99)


def at_percents(ascending: Sequence[float]) -> list[float]:
    """The nearest-rank percentiles that the page shows."""
    return [ascending[max(0, -(-len(ascending) * percent // 100) - 1)] for percent in PERCENTS]
