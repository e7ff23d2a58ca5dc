"""Fields of an answer, each read by the reader for its kind of thing; a field that cannot be read is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gate.failures import Failure
from gate.readings import entries, identifier, uuid_text
from gate.reply import Reply

T = TypeVar("T")


def subject_of_field(reply: Reply, name: str) -> str:
    """A field of an answer as failures name it."""
    return f"field {name} of {reply.subject.removeprefix('endpoint ')}"


def unreadable(reply: Reply, name: str, error: Failure, observed: object) -> Failure:
    """The failure of a field that a reader could not read."""
    return Failure(
        "http.value",
        subject_of_field(reply, name),
        expected=error.expected,
        observed=observed,
        what=f"{name} of {reply} to be",
        hint=reply.hint,
        component=reply.component,
        exchange=reply.exchange,
    )


def field(reply: Reply, name: str, read: Callable[[object], T]) -> T:
    """A field of the body as its reader returns it; raises Failure where it is missing or cannot be read."""
    __tracebackhide__ = True
    body = reply.object()
    if name not in body:
        reply.fail("http.fields", "fields", [name], missing=[name])
    try:
        return read(body[name])
    except Failure as error:
        raise unreadable(reply, name, error, body[name]) from None


def id_in(reply: Reply, name: str) -> str:
    """An id in a field of the body, as one form of it is compared with another."""
    __tracebackhide__ = True
    return field(reply, name, lambda value: identifier(value, reply.readings))


def uuid_in(reply: Reply, name: str) -> str:
    """A UUID in a field of the body, in lower case with hyphens."""
    __tracebackhide__ = True
    return field(reply, name, lambda value: uuid_text(value, reply.readings))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise Failure(expected="a text", observed=value)
    return value


def text_in(reply: Reply, name: str) -> str:
    """A text in a field of the body."""
    __tracebackhide__ = True
    return field(reply, name, _text)


def listed(reply: Reply) -> list[dict[str, Any]]:
    """The entries of a listing, however it is wrapped; raises Failure where there is none."""
    __tracebackhide__ = True
    body = reply.json()
    try:
        return entries(body, reply.readings)
    except Failure as error:
        raise unreadable(reply, "entries", error, body) from None


def ids_listed(reply: Reply, name: str) -> list[str]:
    """The ids in a field of each entry of a listing, under an accepted name; raises Failure where an entry has none."""
    __tracebackhide__ = True
    found = []
    for entry in listed(reply):
        try:
            named = next((key for key in (name, *reply.readings.entry_ids) if key in entry), name)
            found.append(identifier(entry.get(named), reply.readings))
        except Failure as error:
            raise unreadable(reply, name, error, entry) from None
    return found
