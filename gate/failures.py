"""How a check ends when it does not pass: failed, blocked, not judged, or not applicable."""

from __future__ import annotations

from typing import NoReturn

import pytest

SHOWN = 500


def shorten(value: object, limit: int = SHOWN) -> str:
    """A value as evidence: printable, at most `limit` characters. Secrets are masked when it is shown."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(c if c.isprintable() else " " for c in text[: 40 * limit])
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


class CheckFailed(AssertionError):
    """A promise of the specification that the deployment does not keep.

    `hint` says where to look next; `component` names the part at fault where it is not the check's own.
    """

    def __init__(self, expected: str, observed: str, hint: str = "", component: str | None = None) -> None:
        self.expected = shorten(expected)
        self.observed = shorten(observed)
        self.hint = shorten(hint)
        self.component = component
        super().__init__(f"expected {self.expected}; observed {self.observed}")


class Blocked(pytest.skip.Exception):  # type: ignore[name-defined, misc]
    """A prerequisite of a check is unavailable: the check can say nothing about its own promise."""

    def __init__(self, prerequisite: str, reason: str) -> None:
        self.prerequisite = prerequisite
        self.reason = shorten(reason)
        super().__init__(f"BLOCKED[{prerequisite}] {self.reason}")


class NotConfigured(pytest.skip.Exception):  # type: ignore[name-defined, misc]
    """A setting is missing, so the check is not judged; with --strict the verdict is then no pass.

    `setting` is the variable to set.
    """

    def __init__(self, setting: str, what: str = "") -> None:
        self.setting = setting
        self.what = what or f"set {setting}"
        super().__init__(f"NOT CONFIGURED: {self.what}")


def not_applicable(reason: str) -> NoReturn:
    """Leave out a check that this target cannot have, for a reason that no setting changes."""
    pytest.skip(f"NOT APPLICABLE: {reason}")


def needs_writing(read_only: bool, what: str) -> None:
    """Leave out a check that would write, in a run that only reads (--read-only)."""
    if read_only:
        pytest.skip(f"READ ONLY: {what} would write to the target")


def fail(expected: str, observed: object, hint: str = "", component: str | None = None) -> NoReturn:
    """Fail the check with finished texts; raises CheckFailed."""
    __tracebackhide__ = True
    raise CheckFailed(expected, shorten(observed), hint, component)
