"""Assertions about values: what was expected, what was observed, and where to look next."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Mapping, Sized
from types import MappingProxyType
from typing import Generic, SupportsFloat, TypeVar

from gate.failures import Exchange, Facts, Failure

T = TypeVar("T")
NOTHING: Mapping[str, object] = MappingProxyType({})


class Expectation(Generic[T]):
    """What is expected of one observed value; `what` names it for people, `hint` says where to look next.

    `seen` says more of what was observed than the value does. `code` and `subject` are those of the failure where they are not
    the check's own; `facts` are further facts of what was observed, for the diagnosis.
    """

    def __init__(
        self,
        value: T,
        what: str,
        hint: str = "",
        seen: str = "",
        *,
        code: str = "",
        subject: str = "",
        component: str | None = None,
        is_stated: bool = False,
        facts: Mapping[str, object] = NOTHING,
        exchange: Exchange | None = None,
    ) -> None:
        self.value = value
        self.what = what
        self.hint = hint
        self.seen = seen
        self.code, self.subject, self.component, self.is_stated = code, subject, component, is_stated
        self.facts = facts
        self.exchange = exchange

    def _check(self, holds: bool, relation: str, expected: object, because: str, observed: object = None) -> None:
        __tracebackhide__ = True
        if not holds:
            found = Facts(value=self.value if observed is None else observed, **self.facts)
            if self.seen:
                found["detail"] = self.seen
            raise Failure(
                self.code,
                self.subject,
                expected=expected,
                observed=found,
                relation=relation,
                what=self.what,
                because=because,
                hint=self.hint,
                component=self.component,
                is_stated=self.is_stated,
                exchange=self.exchange,
            )

    def equals(self, wanted: object, because: str = "") -> None:
        """The value is exactly this one."""
        __tracebackhide__ = True
        self._check(self.value == wanted, "equals", wanted, because)

    def differs_from(self, other: object, because: str = "") -> None:
        """The value is anything but this one."""
        __tracebackhide__ = True
        self._check(self.value != other, "differs", other, because)

    def is_true(self, because: str = "") -> None:
        """The value is true; here `what` is the whole expectation: "the queue to be empty"."""
        __tracebackhide__ = True
        self._check(bool(self.value), "holds", True, because, observed=False)

    def is_empty(self, because: str = "") -> None:
        """Nothing is in the collection."""
        __tracebackhide__ = True
        self._check(not self.value, "none", [], because)

    def is_not_empty(self, because: str = "") -> None:
        """Something is in the collection."""
        __tracebackhide__ = True
        self._check(bool(self.value), "some", None, because, observed=self.value or [])

    def has_length(self, wanted: int, because: str = "") -> None:
        """The collection has this many members."""
        __tracebackhide__ = True
        self._check(isinstance(self.value, Sized) and len(self.value) == wanted, "length", wanted, because)

    def contains(self, part: object, because: str = "") -> None:
        """The value holds this part."""
        __tracebackhide__ = True
        self._check(_holds(self.value, part), "contains", part, because)

    def lacks(self, part: object, because: str = "") -> None:
        """The value does not hold this part."""
        __tracebackhide__ = True
        self._check(not _holds(self.value, part), "lacks", part, because)

    def includes(self, parts: Collection[object], because: str = "") -> None:
        """All parts are in the value."""
        __tracebackhide__ = True
        missing = [part for part in parts if not _holds(self.value, part)]
        self._check(not missing, "includes", sorted(map(str, parts)), because, observed=f"missing {missing}")

    def is_one_of(self, allowed: Collection[object], because: str = "") -> None:
        """The value is one of these."""
        __tracebackhide__ = True
        self._check(self.value in allowed, "one of", sorted(map(str, allowed)), because)

    def is_at_most(self, limit: float, because: str = "") -> None:
        """The number does not exceed the limit."""
        __tracebackhide__ = True
        self._check(_number(self.value) <= limit, "at most", limit, because)

    def is_at_least(self, limit: float, because: str = "") -> None:
        """The number reaches the limit."""
        __tracebackhide__ = True
        self._check(_number(self.value) >= limit, "at least", limit, because)

    def is_above(self, limit: float, because: str = "") -> None:
        """The number is greater than the limit."""
        __tracebackhide__ = True
        self._check(_number(self.value) > limit, "above", limit, because)

    def matches(self, pattern: str, because: str = "") -> None:
        """The whole text has this form."""
        __tracebackhide__ = True
        found = isinstance(self.value, str) and re.fullmatch(pattern, self.value) is not None
        self._check(found, "matches", pattern, because)

    def satisfies(self, test: Callable[[T], bool], promise: str) -> None:
        """The value passes a test that `promise` describes."""
        __tracebackhide__ = True
        self._check(test(self.value), "satisfies", promise, "")


def _holds(whole: object, part: object) -> bool:
    return isinstance(whole, Container) and part in whole


def _number(value: object) -> float:
    return float(value) if isinstance(value, SupportsFloat) else float("nan")
