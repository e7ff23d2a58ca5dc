"""Assertions about values: what was expected, what was observed, and where to look next."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Sized
from typing import Generic, SupportsFloat, TypeVar

from gate.failures import CheckFailed, shorten

T = TypeVar("T")


class Expectation(Generic[T]):
    """What is expected of one observed value; `what` names it for the message, `hint` says where to look next.

    `seen` says more of what was observed than the value does.
    """

    def __init__(self, value: T, what: str, hint: str = "", seen: str = "") -> None:
        self.value = value
        self.what = what
        self.hint = hint
        self.seen = seen

    def _check(self, holds: bool, expected: str, because: str, observed: object = None) -> None:
        __tracebackhide__ = True
        if not holds:
            reason = f", because {because}" if because else ""
            observed = self.value if observed is None else observed
            raise CheckFailed(f"{self.what} {expected}".rstrip() + reason, self.seen or shorten(observed), self.hint)

    def equals(self, wanted: object, because: str = "") -> None:
        """The value is exactly this one."""
        __tracebackhide__ = True
        self._check(self.value == wanted, f"to be {wanted!r}", because)

    def differs_from(self, other: object, because: str = "") -> None:
        """The value is anything but this one."""
        __tracebackhide__ = True
        self._check(self.value != other, f"not to be {other!r}", because)

    def is_true(self, because: str = "") -> None:
        """The value is true; here `what` is the whole expectation: "the queue to be empty"."""
        __tracebackhide__ = True
        if not self.value:
            reason = f", because {because}" if because else ""
            raise CheckFailed(f"{self.what}{reason}", self.seen or "not so", self.hint)

    def is_empty(self, because: str = "") -> None:
        """Nothing is in the collection."""
        __tracebackhide__ = True
        self._check(not self.value, "to be none", because)

    def is_not_empty(self, because: str = "") -> None:
        """Something is in the collection."""
        __tracebackhide__ = True
        self._check(bool(self.value), "to be at least one", because, observed=self.value or "none")

    def has_length(self, wanted: int, because: str = "") -> None:
        """The collection has this many members."""
        __tracebackhide__ = True
        self._check(isinstance(self.value, Sized) and len(self.value) == wanted, f"to have length {wanted}", because)

    def contains(self, part: object, because: str = "") -> None:
        """The value holds this part."""
        __tracebackhide__ = True
        self._check(_holds(self.value, part), f"to contain {part!r}", because)

    def lacks(self, part: object, because: str = "") -> None:
        """The value does not hold this part."""
        __tracebackhide__ = True
        self._check(not _holds(self.value, part), f"not to contain {part!r}", because)

    def includes(self, parts: Collection[object], because: str = "") -> None:
        """All parts are in the value."""
        __tracebackhide__ = True
        missing = [part for part in parts if not _holds(self.value, part)]
        self._check(not missing, f"to include {sorted(map(str, parts))}", because, observed=f"missing {missing}")

    def is_one_of(self, allowed: Collection[object], because: str = "") -> None:
        """The value is one of these."""
        __tracebackhide__ = True
        self._check(self.value in allowed, f"to be one of {sorted(map(str, allowed))}", because)

    def is_at_most(self, limit: float, because: str = "") -> None:
        """The number does not exceed the limit."""
        __tracebackhide__ = True
        self._check(_number(self.value) <= limit, f"to be at most {limit:g}", because)

    def is_at_least(self, limit: float, because: str = "") -> None:
        """The number reaches the limit."""
        __tracebackhide__ = True
        self._check(_number(self.value) >= limit, f"to be at least {limit:g}", because)

    def is_above(self, limit: float, because: str = "") -> None:
        """The number is greater than the limit."""
        __tracebackhide__ = True
        self._check(_number(self.value) > limit, f"to be above {limit:g}", because)

    def matches(self, pattern: str, because: str = "") -> None:
        """The whole text has this form."""
        __tracebackhide__ = True
        found = isinstance(self.value, str) and re.fullmatch(pattern, self.value) is not None
        self._check(found, f"to match {pattern}", because)

    def satisfies(self, test: Callable[[T], bool], promise: str) -> None:
        """The value passes a test that `promise` describes."""
        __tracebackhide__ = True
        self._check(test(self.value), promise, "")


def _holds(whole: object, part: object) -> bool:
    return isinstance(whole, Container) and part in whole


def _number(value: object) -> float:
    return float(value) if isinstance(value, SupportsFloat) else float("nan")
