"""Pages of things, newest first, by the ids before and after."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from twin.doubles.anthropic.errors import RefusedError

MOST = 1000
DEFAULT = 20


def new_id(prefix: str) -> str:
    """A fresh id of the vendor's form."""
    return f"{prefix}_01{uuid.uuid4().hex[:22]}"


def limit_of(request: Request, most: int = MOST) -> int:
    """How many things one page holds; raises RefusedError."""
    given = request.query_params.get("limit", str(DEFAULT))
    if not given.lstrip("-").isdigit():
        raise RefusedError("limit: Input should be a valid integer, unable to parse string as an integer")
    limit = int(given)
    if limit < 1:
        raise RefusedError("limit: Input should be greater than or equal to 1")
    if limit > most:
        raise RefusedError(f"limit: Input should be less than or equal to {most}")
    return limit


def page(things: Sequence[Mapping[str, Any]], request: Request) -> dict[str, Any]:
    """The page that `before_id`, `after_id` and `limit` ask for."""
    limit = limit_of(request)
    before, after = request.query_params.get("before_id"), request.query_params.get("after_id")
    if before and after:
        raise RefusedError("Only one of before_id and after_id may be given")
    ids = [thing["id"] for thing in things]
    found = list(things)
    if name := before or after:
        if name not in ids:
            raise RefusedError(f"{'before_id' if before else 'after_id'}: no object with id {name}")
        place = ids.index(name)
        found = found[:place] if before else found[place + 1 :]
    shown = found[-limit:] if before else found[:limit]
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
    return {"data": shown, "has_more": len(found) > limit, **ends}
