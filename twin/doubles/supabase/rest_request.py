"""One request to PostgREST: its query, its preferences, the range it wants and the media type it accepts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from twin.doubles.supabase.rest_errors import RestError
from twin.doubles.supabase.rest_logic import parse_condition, parse_group
from twin.doubles.supabase.rest_query import Query
from twin.doubles.supabase.rest_schema import EXPOSED
from twin.doubles.supabase.rest_syntax import parse_field, parse_order, parse_select

RESERVED = ("select", "columns", "on_conflict", "apikey")
PATH = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^."])+')
RANGE = re.compile(r"(\d+)-(\d*)")
MAX_ROWS = 1000
OBJECT = "application/vnd.pgrst.object+json"
ARRAY = "application/vnd.pgrst.array+json"
CSV = "text/csv"
MEDIA = ("application/json", OBJECT, ARRAY, CSV, "*/*", "application/*", "application/openapi+json")


@dataclass(frozen=True)
class Preferences:
    """The `Prefer` header."""

    returns: str
    count: str | None
    resolution: str | None
    missing_default: bool
    strict: bool
    max_affected: int | None
    applied: tuple[str, ...]

    @classmethod
    def of(cls, request: Request) -> Preferences:
        """From the headers of a request; raises RestError for one that it does not know under `handling=strict`."""
        given = [part.strip() for header in request.headers.getlist("prefer") for part in header.split(",") if part.strip()]
        pairs = dict(part.partition("=")[::2] for part in reversed(given))
        known = {
            "return": ("minimal", "representation", "headers-only"),
            "count": ("exact", "planned", "estimated"),
            "resolution": ("merge-duplicates", "ignore-duplicates"),
            "missing": ("default", "null"),
            "handling": ("strict", "lenient"),
            "tx": ("commit", "rollback"),
            "params": ("single-object",),
        }
        free = ("max-affected", "timezone")
        strict = pairs.get("handling") == "strict"
        wrong = [part for part in given if part.partition("=")[0] not in free and not _is_known(part, known)]
        if strict and wrong:
            details = f"Invalid preferences: {', '.join(wrong)}"
            raise RestError(400, "PGRST122", "Invalid preferences given with handling=strict", details)
        most = pairs.get("max-affected", "")
        applied = tuple(part for part in given if part not in wrong)
        return cls(
            pairs.get("return", ""),
            pairs.get("count") if pairs.get("count") in known["count"] else None,
            pairs.get("resolution"),
            pairs.get("missing") == "default",
            strict,
            int(most) if strict and most.isdigit() else None,
            applied,
        )


def _is_known(part: str, known: dict[str, tuple[str, ...]]) -> bool:
    name, _, value = part.partition("=")
    return value in known.get(name, ())


def schema_of(request: Request) -> str:
    """The schema that a request is about."""
    header = "accept-profile" if request.method in ("GET", "HEAD") else "content-profile"
    return request.headers.get(header) or EXPOSED[0]


def media_of(request: Request) -> tuple[str, bool]:
    """The accepted media type, and whether nulls are left out; raises RestError for one that there is not."""
    accepted = [part.strip() for part in request.headers.get("accept", "*/*").split(",") if part.strip()]
    for part in accepted:
        media, *options = (word.strip() for word in part.split(";"))
        if media in MEDIA:
            stripped = "nulls=stripped" in options
            return (media if media in (OBJECT, CSV) else "application/json"), stripped
    message = f"None of these media types are available: {', '.join(accepted)}"
    raise RestError(406, "PGRST107", message)


def query_of(request: Request, arguments: frozenset[str] = frozenset()) -> Query:
    """The query of a request, without the arguments of a function; raises RestError."""
    params = request.query_params
    query = parse_select(params.get("select", "*"))
    for name, value in params.multi_items():
        if name in RESERVED or name in arguments:
            continue
        *path, last = PATH.findall(name)
        names = [part.strip('"') for part in path]
        negated = bool(names) and names[-1] == "not" and last in ("and", "or")
        target = query.below(names[:-1] if negated else names)
        if last in ("and", "or"):
            target.filters.append(parse_group(last, value, negated=negated))
        elif last == "order":
            target.order = parse_order(value)
        elif last in ("limit", "offset"):
            _set_range(target, last, value)
        else:
            target.filters.append(parse_condition(parse_field(last, "filter"), value))
    _apply_header(request, query)
    query.limit = min(query.limit, MAX_ROWS) if query.limit is not None else MAX_ROWS
    return query


def _set_range(query: Query, name: str, value: str) -> None:
    try:
        number = int(value)
    except ValueError:
        return
    if name == "offset":
        query.offset = max(0, number)
    elif number < 0:
        details = "Limit should be greater than or equal to zero."
        raise RestError(416, "PGRST103", "Requested range not satisfiable", details)
    else:
        query.limit = number


def _apply_header(request: Request, query: Query) -> None:
    found = RANGE.fullmatch(request.headers.get("range", "").removeprefix("items="))
    if found is None or request.method not in ("GET", "HEAD"):
        return
    first = int(found[1])
    if found[2] and int(found[2]) < first:
        details = "The lower boundary must be lower than or equal to the upper boundary in the Range header."
        raise RestError(416, "PGRST103", "Requested range not satisfiable", details)
    query.offset = max(query.offset, first)
    if found[2]:
        size = int(found[2]) - first + 1
        query.limit = size if query.limit is None else min(query.limit, size)


async def payload_of(request: Request) -> Any:
    """The JSON of the body; raises RestError."""
    text = await request.body()
    try:
        return json.loads(text)
    except ValueError as error:
        raise RestError(400, "PGRST102", "Empty or invalid json") from error
