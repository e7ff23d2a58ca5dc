"""Conversations that responses continue, and their items."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.openai import inputs
from twin.doubles.openai.errors import not_found
from twin.doubles.openai.inputs import Item
from twin.doubles.openai.listing import Kept, new_id, page
from twin.doubles.openai.parameters import Parameters, object_of


class Conversations:
    """Conversations of one account."""

    def __init__(self) -> None:
        self._kept = Kept("Conversation with id '{id}' not found.")
        self._items: dict[str, list[Item]] = {}

    def items_of(self, name: str) -> list[Item]:
        """All items of a conversation; raises RefusedError."""
        return self._items[self._kept.find(name)["id"]]

    def extend(self, name: str, items: Sequence[Item]) -> None:
        """Add items to a conversation."""
        self._items[name] = [*self.items_of(name), *items]

    async def created(self, request: Request) -> Response:
        """A new conversation, with items if some are given."""
        body = await object_of(request) if await request.body() else {}
        metadata = Parameters(body).metadata() or {}
        items = inputs.items_of(body["items"], "items") if body.get("items") else []
        name = new_id("conv")
        self._items[name] = items
        thing = {"id": name, "object": "conversation", "created_at": int(time.time()), "metadata": metadata}
        return JSONResponse(self._kept.keep(thing))

    async def shown(self, request: Request) -> Response:
        """A conversation."""
        return JSONResponse(self._kept.find(request.path_params["id"]))

    async def changed(self, request: Request) -> Response:
        """A conversation with other metadata."""
        thing = self._kept.find(request.path_params["id"])
        thing["metadata"] = Parameters(await object_of(request)).metadata() or {}
        return JSONResponse(thing)

    async def deleted(self, request: Request) -> Response:
        """A conversation is removed."""
        name = self._kept.drop(request.path_params["id"])["id"]
        return JSONResponse({"id": name, "object": "conversation.deleted", "deleted": True})

    async def added(self, request: Request) -> Response:
        """More items for a conversation."""
        name = request.path_params["id"]
        self._kept.find(name)
        items = inputs.items_of((await object_of(request)).get("items"), "items")
        self.extend(name, items)
        ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]}
        return JSONResponse({"object": "list", "data": items, **ends, "has_more": False})

    async def items(self, request: Request) -> Response:
        """A page of a conversation's items."""
        return JSONResponse(page(self.items_of(request.path_params["id"]), request))

    async def item(self, request: Request) -> Response:
        """One item of a conversation."""
        return JSONResponse(self._item(request))

    async def removed(self, request: Request) -> Response:
        """One item is removed from a conversation."""
        name, item = request.path_params["id"], self._item(request)
        self._items[name] = [one for one in self._items[name] if one is not item]
        return JSONResponse(self._kept.find(name))

    def _item(self, request: Request) -> dict[str, Any]:
        wanted = request.path_params["item"]
        found = next((one for one in self.items_of(request.path_params["id"]) if one["id"] == wanted), None)
        if found is None:
            raise not_found(f"Conversation item with id '{wanted}' not found.")
        return found
