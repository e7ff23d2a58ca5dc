"""How a check ends when it does not pass: failed, blocked, not judged, or not applicable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from typing import NoReturn, TypeAlias

import pytest

from spec.codes import declared

SHOWN = 500
MOST_MEMBERS = 30
# What can be written as JSON.
Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"


def shorten(value: object, limit: int = SHOWN) -> str:
    """A value as evidence: printable, at most `limit` characters. Secrets are masked when it is shown."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(c if c.isprintable() else " " for c in text[: 40 * limit])
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def as_value(found: object) -> Value:
    """What was found, as it can be written as JSON: bounded in length, sets in order, the rest as text."""
    if found is None or isinstance(found, bool | int | float):
        return found
    if isinstance(found, str):
        return shorten(found)
    if isinstance(found, Mapping):
        return {str(name): as_value(value) for name, value in list(found.items())[:MOST_MEMBERS]}
    if isinstance(found, AbstractSet):
        return [as_value(value) for value in sorted(found, key=str)[:MOST_MEMBERS]]
    if isinstance(found, Sequence) and not isinstance(found, bytes | bytearray):
        return [as_value(value) for value in found[:MOST_MEMBERS]]
    return shorten(found)


@dataclass(frozen=True)
class Exchange:
    """The request in which a failure was seen; `status` is 0 without a response, `own` whether the service itself sent it.

    `at` is when it ended, in seconds since 1970 (0: not known).
    """

    method: str
    url: str
    status: int = 0
    content_type: str = ""
    seconds: float = 0.0
    request_id: str = ""
    own: bool = True
    at: float = 0.0


class Failure(AssertionError):
    """A promise of the specification that the deployment does not keep, as typed facts; text is made of them at the end.

    `code` and `subject` are declared in spec/codes.toml; where they are empty, the check's own take their place. `relation`
    says how `observed` should relate to `expected` (gate/messages.py words it). `what`, `because` and `hint` are for people.
    `component` names the part at fault where it is not the check's own; it `is_stated` where the check judged that it is this
    part, and not only that it was this part's answer. Raises LookupError for an undeclared code or subject.
    """

    def __init__(
        self,
        code: str = "",
        subject: str = "",
        *,
        expected: object = None,
        observed: object = None,
        relation: str = "",
        what: str = "",
        because: str = "",
        hint: str = "",
        component: str | None = None,
        is_stated: bool = False,
        exchange: Exchange | None = None,
    ) -> None:
        if problem := declared().problem(code, subject):
            raise LookupError(problem)
        self.code, self.subject = code, subject
        self.expected = as_value(expected)
        self.observed = {k: as_value(v) for k, v in observed.items()} if isinstance(observed, Facts) else as_observed(observed)
        self.relation, self.what, self.because, self.hint = relation, shorten(what), because, shorten(hint)
        self.component, self.is_stated = component, is_stated
        self.exchange = exchange
        super().__init__(f"{code or 'a promise'} of {subject or what or 'this check'}")

    def as_data(self) -> dict[str, Value]:
        """For a check's report."""
        return {
            "code": self.code,
            "subject": self.subject,
            "expected": self.expected,
            "observed": self.observed,
            "relation": self.relation,
            "what": self.what,
            "because": self.because,
            "hint": self.hint,
            "component": self.component,
            "exchange": asdict(self.exchange) if self.exchange else None,
        }


class Facts(dict[str, object]):
    """What was observed as named facts, such as status=502 and body=…; anything else observed is one fact, `value`."""


def as_observed(found: object) -> dict[str, Value]:
    """What was observed, as facts."""
    return {} if found is None else {"value": as_value(found)}


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
