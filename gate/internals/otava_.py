"""apache-otava: what is used of it beyond its public interface: the first of its two steps, and its test of significance.

Its second step, which merges points, is not used: after it has dropped a point, it judges the one on the left by a side that is
no longer there (release 0.8.0), and drops that as well. tests/test_change_points.py says what a new release broke.
"""

from __future__ import annotations

from collections.abc import Sequence


def candidates(values: Sequence[float], window: int, max_p_value: float) -> list[int]:
    """Where each window of the series may be split (E-divisive), in order."""
    # Imported here: only a run that reviews the history needs it. It slices lists only.
    from otava.analysis import split

    return sorted({int(point.index) for point in split(list(values), window, max_p_value)})


def p_value(before: Sequence[float], now: Sequence[float]) -> float:
    """How likely two sides are as unlike as they are, if they are the same (Student's t-test)."""
    from otava.analysis import TTestSignificanceTester

    return float(TTestSignificanceTester(1.0).compare(before, now).pvalue)
