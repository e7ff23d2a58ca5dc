"""One tolerant reader for each kind of observed value. What cannot be read raises Failure, with the check's own code."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gate.failures import Failure
from spec.model import Readings
from spec.model.readings import TimeForm

HYPHENATED = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
ID_FORMS = {
    "bare": re.compile(r"([0-9a-fA-F]{32})"),
    "braces": re.compile(rf"\{{({HYPHENATED})\}}"),
    "urn": re.compile(rf"[uU][rR][nN]:[uU][uU][iI][dD]:({HYPHENATED})"),
}
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
HASH = re.compile(r"[0-9a-fA-F]+")
# Digits tell seconds from milliseconds for the next two centuries.
UNIX = {"seconds": (re.compile(r"\d{10}(\.\d*)?"), 1), "milliseconds": (re.compile(r"\d{13}(\.\d*)?"), 1000)}
# A listing may be wrapped this often.
DEPTH = 2


def identifier(value: object, accepted: Readings) -> str:
    """An id: a UUID in lower case with hyphens, in whichever accepted form it is written; other text as it is."""
    if not isinstance(value, str) or not value.strip():
        raise Failure(expected="an id", observed=value)
    text = value.strip()
    forms = (ID_FORMS[form].fullmatch(text) for form in accepted.id_forms if form in ID_FORMS)
    found = next((found for found in forms if found), None) or re.fullmatch(f"({HYPHENATED})", text)
    if found is None:
        return text
    inner = found[1]
    return str(UUID(inner)) if inner == inner.lower() or "any case" in accepted.id_forms else text


def uuid_text(value: object, accepted: Readings) -> str:
    """An id that is a UUID."""
    found = identifier(value, accepted)
    if not re.fullmatch(HYPHENATED, found):
        raise Failure(expected="a UUID", observed=value)
    return found


def number(value: object, *, percent: bool = False) -> float:
    """A finite number, or its text with or without a sign; in percent where that is accepted."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    text = value.strip() if isinstance(value, str) else ""
    share = percent and text.endswith("%")
    text = text[:-1].rstrip() if share else text
    if not NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise Failure(expected="a number", observed=value)
    return float(text) / (100 if share else 1)


def digest(value: object, accepted: Readings) -> object:
    """A stored hash as hexadecimal digits in lower case, in whichever accepted form it is stored; else the value itself."""
    if isinstance(value, bytes) and "bytes" in accepted.hash_forms:
        return value.hex()
    if isinstance(value, str) and HASH.fullmatch(value) and "any case" in accepted.hash_forms:
        return value.lower()
    return value


def last_digit(text: str) -> float:
    """What one more in the last digit of a number's text is worth."""
    digits, _, exponent = text.lower().partition("e")
    return float(10.0 ** (int(exponent or 0) - len(digits.partition(".")[2])))


def _iso(value: object) -> datetime:
    return datetime.fromisoformat(value.strip().upper() if isinstance(value, str) else "")


def moment(value: object, forms: Collection[TimeForm] = ()) -> datetime:
    """A point in time to the millisecond: ISO 8601 of any zone, without one UTC's; or an accepted number since 1970."""
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    scale = next((scale for form, (digits, scale) in UNIX.items() if form in forms and digits.fullmatch(text)), None)
    try:
        found = datetime.fromtimestamp(float(text) / scale, UTC) if scale else _iso(value)
    except ValueError:
        raise Failure(expected="a point in time (ISO 8601)", observed=value) from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def seconds_of(value: object, forms: Collection[TimeForm] = ()) -> float | None:
    """The same in seconds since 1970; None for what is no point in time."""
    try:
        return moment(value, forms).timestamp()
    except (Failure, OverflowError):
        return None


def version_in(value: object, wanted: str | None, accepted: Readings) -> str:
    """The wanted version, where a text names it in an accepted form; else the text."""
    text, forms = "" if value is None else str(value), accepted.version_forms
    core = ("[vV]?" if "v" in forms else "") + re.escape(wanted or "") + (r"(?:\+[\w.-]+)?" if "build" in forms else "")
    named = "named" in forms and re.search(rf"(?<![\w.+-]){core}(?![\w.+-])", text)
    return wanted if wanted and (named or re.fullmatch(core, text)) else text


def entries(body: object, accepted: Readings) -> list[dict[str, Any]]:
    """The entries of a listing: a list of objects, or an object that holds it under one of the accepted keys."""
    found = body
    for _ in range(DEPTH + 1):
        if isinstance(found, list) and all(isinstance(entry, dict) for entry in found):
            return found
        if not isinstance(found, dict):
            break
        inside = [found.get(key) for key in accepted.listing_keys]
        lists = [value for value in inside if isinstance(value, list)]
        found = next(iter(lists + [value for value in inside if isinstance(value, dict)]), None)
    raise Failure(expected="a list of objects", observed=body)


def within(body: Mapping[str, Any], names: Collection[str], envelopes: Iterable[str]) -> dict[str, Any]:
    """The object with these fields: the body, or what it holds under one of the envelopes; the body where none has them."""
    candidates = [body, *(body[key] for key in envelopes if isinstance(body.get(key), dict))]
    return dict(next((found for found in candidates if set(names) <= found.keys()), body))
