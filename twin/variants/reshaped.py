"""Middleware for variants of the API: each answer passes through a function. Copied into the release that it changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers: TypeAlias = list[tuple[bytes, bytes]]
BODILESS = ("HEAD", "OPTIONS")


class Reshaped:
    """Every JSON body goes through `change(method, path, status, body)`, which returns the new body or its JSON text."""

    def __init__(self, app: ASGIApp, change: Callable[[str, str, int, Any], Any]) -> None:
        self.app = app
        self.change = change

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and hold the answer back until it is whole."""
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                new = self._changed(scope, start, bytes(body))
                start["headers"] = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
                start["headers"].append((b"content-length", str(len(new)).encode()))
                await send(start)
                await send({"type": "http.response.body", "body": new})

        await self.app(scope, receive, hold)

    def _changed(self, scope: Scope, start: Message, body: bytes) -> bytes:
        kinds = [value for name, value in start["headers"] if name.lower() == b"content-type"]
        if not kinds or not kinds[0].startswith(b"application/json"):
            return body
        new = self.change(scope["method"], scope["path"], start["status"], json.loads(body))
        return new.encode() if isinstance(new, str) else json.dumps(new).encode()


class Retouched:
    """Status and headers of every answer go through `change(method, path, status, headers)`."""

    def __init__(self, app: ASGIApp, change: Callable[[str, str, int, Headers], tuple[int, Headers]]) -> None:
        self.app = app
        self.change = change

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and change the beginning of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def touch(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = self.change(scope["method"], scope["path"], message["status"], list(message["headers"]))
                message["status"], message["headers"] = found
            await send(message)

        await self.app(scope, receive, touch)
