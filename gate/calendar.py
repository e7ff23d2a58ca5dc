"""The regular calendar (§9): `pytest --calendar NAME` keeps the checks of that entry's checklist items, of whichever suite."""

from __future__ import annotations

import pytest

from gate.selection import is_check, marker_value
from spec import Specification
from spec.model import Review


def name_of(config: pytest.Config) -> str:
    """The entry of the calendar that runs, or nothing."""
    return str(config.option.calendar or "")


def require_known(config: pytest.Config, spec: Specification) -> None:
    """Raises UsageError for a name that is no entry of the specification's calendar."""
    name = name_of(config)
    if name and name not in spec.calendar:
        known = ", ".join(spec.calendar) or "none"
        raise pytest.UsageError(f"--calendar: {name!r} is no entry of the calendar of {spec.meta.name} (there is: {known})")


def review_of(config: pytest.Config, spec: Specification) -> Review | None:
    """The entry of the calendar that runs, or None."""
    return spec.calendar.get(name_of(config))


def keep(config: pytest.Config, items: list[pytest.Item], spec: Specification) -> None:
    """Leave out the checks of other checklist items, where an entry of the calendar runs."""
    review = review_of(config, spec)
    if review is None:
        return
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        wanted = not is_check(item) or marker_value(item, "checklist") in review.items
        (kept if wanted else left_out).append(item)
    if left_out:
        items[:] = kept
        config.hook.pytest_deselected(items=left_out)


def selection(config: pytest.Config) -> str:
    """What narrows the checks down besides the calendar: only runs of the same selection are compared."""
    options = config.option
    narrowed = {"-k": options.keyword, "-m": options.markexpr, "--read-only": options.read_only or ""}
    return " ".join(f"{name} {value}" for name, value in narrowed.items() if value)
