"""Latencies in mergeable HDR histograms: microseconds, three significant digits, up to an hour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from hdrh.histogram import HdrHistogram

LOWEST_US = 1
HIGHEST_US = 3_600_000_000
DIGITS = 3
US_A_MS = 1000


class Latencies:
    """A distribution of milliseconds."""

    def __init__(self, encoded: str | None = None) -> None:
        fresh = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
        self._histogram = fresh if encoded is None else HdrHistogram.decode(encoded.encode())

    @classmethod
    def of(cls, milliseconds: Iterable[float]) -> Latencies:
        """The distribution of these values."""
        found = cls()
        for value in milliseconds:
            found.record(value)
        return found

    @classmethod
    def merged(cls, encoded: Iterable[str]) -> Latencies:
        """The sum of encoded distributions."""
        found = cls()
        for text in encoded:
            found.merge(cls(text))
        return found

    def record(self, milliseconds: float) -> None:
        """Add one value; what lies outside the range counts as its nearest end."""
        self._histogram.record_value(min(HIGHEST_US, max(LOWEST_US, round(milliseconds * US_A_MS))))

    def merge(self, other: Latencies) -> None:
        """Add another distribution exactly: the buckets are the same."""
        self._histogram.add(other._histogram)

    def percentile(self, percent: float) -> float:
        """Milliseconds that this share (0 to 100) of all values does not exceed; 0 of none."""
        return float(self._histogram.get_value_at_percentile(percent)) / US_A_MS if self.count else 0.0

    def values(self) -> Iterator[tuple[float, int]]:
        """Each recorded value (milliseconds, to the histogram's resolution) with its count, in order."""
        counts = np.ctypeslib.as_array(self._histogram.counts)
        for index in np.nonzero(counts)[0]:
            yield self._histogram.get_value_from_index(int(index)) / US_A_MS, int(counts[index])

    @property
    def count(self) -> int:
        """Number of values."""
        return int(self._histogram.get_total_count())

    def mean(self) -> float:
        """Mean in milliseconds; 0 of none."""
        return float(self._histogram.get_mean_value()) / US_A_MS if self.count else 0.0

    def encode(self) -> str:
        """As text, for a file or another process."""
        return bytes(self._histogram.encode()).decode()
