"""What a vendor sends while it is disturbed: read from the control's board with each request, so that it holds at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twin.control.board import Board, Entry, note
from twin.doubles.unwell import refusal

# Where the parts of Supabase begin that are vendors of their own.
PREFIXES = {"storage": "/storage/v1/", "auth": "/auth/v1/"}
DISTURBED = ("openai", "llamaparse", "anthropic", "supabase")
WRITES = ("POST", "PUT", "PATCH")
GARBAGE = b"<!doctype html><html><body><h1>It works!</h1></body></html>"
STEP_SECONDS = 0.05
# What lets a request pass in the end.
PASSING = ("slow", "watched")


def _concerns(entry: Entry, name: str, method: str, path: str) -> bool:
    target = entry["target"]
    if target != name and not (name == "supabase" and path.startswith(PREFIXES.get(target, "\0"))):
        return False
    if method != entry.get("method", method):
        return False
    # A full store can still be read.
    return path.startswith(entry.get("only", "/")) and (entry["how"] != "full" or method in WRITES)


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


class Disturbed:
    """Middleware in front of a double's routes, behind what gives each of its answers the vendor's headers."""

    def __init__(self, app: ASGIApp, name: str, board: Board) -> None:
        self._app, self._name, self._board = app, name, board

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        met = [entry for entry in self._board.entries("vendor") if _concerns(entry, self._name, method, path)]
        found = [entry for entry in met if self._board.falls_on(entry)]
        for entry in found:
            self._board.strike(entry)
            note(self._board.folder, entry["id"], method=method, path=path)
        await self._wait(found)
        worst = next((entry for entry in found if entry["how"] not in PASSING), None)
        if worst is None:
            await self._app(scope, receive, send)
        elif worst["how"] == "half":
            await self._send_half(scope, receive, send)
        elif worst["how"] == "garbage":
            await _drain(receive)
            await self._send_garbage(send)
        else:
            await _drain(receive)
            response = refusal(worst, Request(scope))
            await response(scope, receive, send)

    async def _wait(self, found: Iterable[Entry]) -> None:
        """Let pass the seconds of those that are slow, as long as they hold."""
        for entry in found:
            end = time.monotonic() + float(entry["seconds"]) if entry["how"] == "slow" else 0.0
            while time.monotonic() < end and self._board.holds(entry["id"]):
                await asyncio.sleep(min(STEP_SECONDS, max(0.0, end - time.monotonic())))

    async def _send_garbage(self, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(GARBAGE)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": GARBAGE})

    async def _send_half(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: dict[str, Any] = {}
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, keep)
        usual = [pair for pair in start["headers"] if pair[0].lower() not in (b"content-length", b"transfer-encoding")]
        await send(start | {"headers": [*usual, (b"content-length", str(max(2, len(body))).encode())]})
        await send({"type": "http.response.body", "body": bytes(body[: len(body) // 2]), "more_body": True})
        # The server closes a connection whose response was left incomplete.


def disturb(app: Starlette, name: str, folder: Path) -> None:
    """Put the middleware in front of the routes of a double of these."""
    if name in DISTURBED:
        app.user_middleware.append(Middleware(Disturbed, name=name, board=Board(folder)))
