"""§9: which checks run how often, and what counts as a change from one run of them to the next."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Sectioned


class Review(Sectioned):
    """§9 Regular Maintenance: one entry of the calendar, and the checklist items whose checks it runs."""

    title: str = Field(min_length=1)
    items: list[str] = Field(min_length=1)


class Shifts(Sectioned):
    """When a series of response times counts as shifted: thresholds of the change point search.

    `window` is the number of runs that are searched at once. A value further than `outlier_spreads` (standard deviations) from
    the medians of its `neighbours` before and after it is taken for the nearer of them.
    """

    figure: str
    fewest_runs: int = Field(gt=3)
    fewest_on_a_side: int = Field(gt=1)
    window: int = Field(gt=3)
    max_p_value: float = Field(gt=0, lt=1)
    least_change: float = Field(gt=0)
    outlier_spreads: float = Field(gt=0)
    neighbours: int = Field(gt=0)
    # A shift to slower is a finding while it began at most so many runs ago.
    latest: int = Field(gt=0)


class History(Sectioned):
    """How many runs are kept for each target, and which differences between two of them are none.

    `prose` are observed facts that are text for people; `tolerances` are fractions by which a number may differ, by
    patterns of its name; other numbers must be equal.
    """

    runs: int = Field(gt=1)
    prose: list[str]
    tolerances: dict[str, float]
    shifts: Shifts
