"""Things that the account keeps, and pages of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request

from twin.doubles.openai.errors import RefusedError, not_found
from twin.doubles.openai.parameters import unsupported

Thing = dict[str, Any]


def new_id(prefix: str, separator: str = "_") -> str:
    """A fresh id of the vendor's form."""
    return f"{prefix}{separator}{uuid.uuid4().hex}"


def page(
    things: Iterable[Mapping[str, Any]], request: Request, default: str = "desc", most: int = 100, limit: int = 20
) -> Thing:
    """The page that `after`, `limit` and `order` ask for, of things that come oldest first."""
    query = request.query_params
    order = query.get("order", default)
    if order not in ("asc", "desc"):
        raise unsupported("order", order, ("asc", "desc"))
    found = list(things) if order == "asc" else list(things)[::-1]
    if after := query.get("after"):
        places = [number for number, thing in enumerate(found) if thing["id"] == after]
        if not places:
            raise RefusedError(f"No item found with id '{after}'.", "after", status=400)
        found = found[places[0] + 1 :]
    size = _limit(query.get("limit"), most, limit)
    shown = found[:size]
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
    return {"object": "list", "data": shown, **ends, "has_more": len(found) > size}


def _limit(given: str | None, most: int, default: int) -> int:
    if given is None:
        return default
    if not given.lstrip("-").isdigit():
        raise RefusedError("Invalid type for 'limit': expected an integer, but got a string instead.", "limit", "invalid_type")
    size = int(given)
    if size < 1:
        message = f"Invalid 'limit': integer below minimum value. Expected a value >= 1, but got {size} instead."
        raise RefusedError(message, "limit", "integer_below_min_value")
    if size > most:
        message = f"Invalid 'limit': integer above maximum value. Expected a value <= {most}, but got {size} instead."
        raise RefusedError(message, "limit", "integer_above_max_value")
    return size


class Kept:
    """Things by their id, oldest first."""

    def __init__(self, missing: str, param: str | None = None) -> None:
        self._things: dict[str, Thing] = {}
        self._missing = missing
        self._param = param

    def keep(self, thing: Thing) -> Thing:
        """Keep a thing under its id."""
        self._things[thing["id"]] = thing
        return thing

    def find(self, name: str) -> Thing:
        """The thing with this id; raises RefusedError."""
        if name not in self._things:
            raise not_found(self._missing.format(id=name), self._param)
        return self._things[name]

    def drop(self, name: str) -> Thing:
        """Remove the thing with this id; raises RefusedError."""
        thing = self.find(name)
        del self._things[name]
        return thing

    def all(self) -> list[Thing]:
        """All things, oldest first."""
        return list(self._things.values())
