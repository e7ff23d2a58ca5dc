"""Text is made here, last, from the typed facts of a failure; nothing reads it but people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gate.failures import Value, shorten

SHOWN_BODY = 200
COMMIT = re.compile(r"[0-9a-f]{40}")
SHOWN_COMMIT = 12


def _statuses(value: Value) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value)


def _listed(value: Value) -> str:
    return ", ".join(map(_plain, value)) if isinstance(value, list) else _plain(value)


def _plain(value: Value) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text[:SHOWN_COMMIT] if COMMIT.fullmatch(text) else text


WORDS: Mapping[str, Callable[[Value], str]] = {
    "": lambda value: "" if value is None else str(value),
    "equals": lambda value: f"to be {value!r}",
    "differs": lambda value: f"not to be {value!r}",
    "holds": lambda value: "",
    "none": lambda value: "to be none",
    "some": lambda value: "to be at least one",
    "length": lambda value: f"to have length {value}",
    "contains": lambda value: f"to contain {value!r}",
    "lacks": lambda value: f"not to contain {value!r}",
    "includes": lambda value: f"to include {_listed(value)}",
    "one of": lambda value: f"to be one of {_listed(value)}",
    "at most": lambda value: f"to be at most {value:g}" if isinstance(value, int | float) else f"to be at most {value}",
    "at least": lambda value: f"to be at least {value:g}" if isinstance(value, int | float) else f"to be at least {value}",
    "above": lambda value: f"to be above {value:g}" if isinstance(value, int | float) else f"to be above {value}",
    "below": lambda value: f"below {value:g} ms" if isinstance(value, int | float) else f"below {value}",
    "matches": lambda value: f"to match {value}",
    "satisfies": str,
    "status": lambda value: f"to return {_statuses(value)}",
    "refusal": lambda value: "to be refused (4xx)",
    "served": lambda value: "to be let in (neither 401 nor 403)",
    "handled": lambda value: "to return without a server error",
    "json": lambda value: "to return JSON",
    "object": lambda value: "to return a JSON object",
    "fields": lambda value: f"to return the fields {_listed(value)}",
    "within": lambda value: (
        f"to respond within {value:g} s" if isinstance(value, int | float) else f"to respond within {value}"
    ),
}


def expected_text(what: str, relation: str, expected: Value, because: str = "") -> str:
    """What was expected, as a sentence without its verb: "GET /health to return 200"."""
    words = WORDS[relation](expected)
    reason = f", because {because}" if because else ""
    return f"{what} {words}".strip() + reason


def observed_text(observed: Mapping[str, Value]) -> str:
    """What was observed, in one line."""
    if detail := observed.get("detail"):
        head = f"{observed['error']}: " if observed.get("error") else ""
        return shorten(f"{head}{detail}")
    if "status" in observed:
        missing = observed.get("missing")
        more = f" without {_listed(missing)}" if missing else ""
        kind = f" {observed['content_type']}" if observed.get("content_type") else ""
        body = observed.get("body")
        return f"{observed['status']}{more}{kind}" + (f" {shorten(str(body), SHOWN_BODY)}" if body else "")
    if list(observed) == ["value"]:
        value = observed["value"]
        return "not so" if value is False else "none" if value in (None, [], {}) else shorten(_listed(value))
    return ", ".join(f"{name.replace('_', ' ')} {_listed(value)}" for name, value in observed.items()) or "not so"


def fact(observed: Mapping[str, Value], limit: int = 80) -> str:
    """The observed fact in a few words, for a title."""
    if "failed" in observed and "of" in observed:
        kinds = _kinds(observed)
        return shorten(f"{observed['failed']} of {observed['of']}" + (f": {kinds}" if kinds else ""), limit)
    if "status" in observed:
        kind = f" {str(observed['content_type']).partition(';')[0]}" if observed.get("content_type") else ""
        return f"{observed['status']}{kind}"
    if observed.get("error"):
        return str(observed["error"])
    named = {name: value for name, value in observed.items() if name not in ("detail", "body", "missing")}
    if "missing" in observed:
        return f"without {_listed(observed['missing'])}"
    if "waiting" in named and "of" in named:
        return f"{named['waiting']} of {named['of']}"
    # Facts beside a value are there for the diagnosis.
    value = named.get("value")
    if list(named) == ["value"] or not (value is None or value is False):
        return shorten(_listed(value), limit)
    said = {name: found for name, found in named.items() if name != "value"}
    return shorten(", ".join(f"{_listed(found)} {name.replace('_', ' ')}" for name, found in said.items()), limit)


def _kinds(observed: Mapping[str, Value]) -> str:
    """How requests failed: their statuses (0 for none at all), or the kinds of their errors."""
    if isinstance(statuses := observed.get("statuses"), list):
        return ", ".join("no answer" if status == 0 else str(status) for status in statuses)
    errors = observed.get("errors") or observed.get("error") or ""
    return ", ".join(errors) if isinstance(errors, dict) else _listed(errors)


def wanted(relation: str, expected: Value, limit: int = 80) -> str:
    """What was expected in a few words, for a title."""
    if relation in ("status",):
        return _statuses(expected)
    if relation == "refusal":
        return "a refusal"
    if relation == "served":
        return "being let in"
    if relation == "differs":
        return f"anything but {_listed(expected)}"
    if relation in ("equals", "contains", "one of", "includes", "fields", ""):
        return shorten(_listed(expected), limit)
    return WORDS[relation](expected).removeprefix("to be ").removeprefix("to ")
