"""Latencies in mergeable HDR histograms: microseconds, three significant digits, up to an hour."""

from __future__ import annotations

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

    def record(self, milliseconds: float) -> None:
        """Add one value; what lies outside the range counts as its nearest end."""
        self._histogram.record_value(min(HIGHEST_US, max(LOWEST_US, round(milliseconds * US_A_MS))))

    def merge(self, other: Latencies) -> None:
        """Add another distribution exactly: the buckets are the same."""
        self._histogram.add(other._histogram)

    def percentile(self, percent: float) -> float:
        """Milliseconds that this share (0 to 100) of all values does not exceed."""
        return float(self._histogram.get_value_at_percentile(percent)) / US_A_MS

    @property
    def count(self) -> int:
        """Number of values."""
        return int(self._histogram.get_total_count())

    def mean(self) -> float:
        """Mean in milliseconds."""
        return float(self._histogram.get_mean_value()) / US_A_MS

    def encode(self) -> str:
        """As text, for a file or another process."""
        return bytes(self._histogram.encode()).decode()
