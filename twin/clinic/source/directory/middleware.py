"""Middleware for every request: headers that trace it, and a limit on the size of its body."""

from __future__ import annotations

import logging
import time
import uuid

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("directory")
MAX_ID_LENGTH = 64


class Trace:
    """Adds X-Correlation-ID, X-Elapsed-Seconds and Server-Timing to every response, including those of failures."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        given = dict(scope["headers"]).get(b"x-correlation-id", b"").decode("latin-1")
        correlation = given if 0 < len(given) <= MAX_ID_LENGTH and given.isprintable() else uuid.uuid4().hex
        has_started = False

        async def mark(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                spent = time.perf_counter() - started
                message["headers"] = [
                    *message["headers"],
                    (b"x-correlation-id", correlation.encode("latin-1")),
                    (b"x-elapsed-seconds", f"{spent:.6f}".encode()),
                    (b"server-timing", f"app;dur={spent * 1000:.3f}".encode()),
                ]
            await send(message)

        try:
            await self._app(scope, receive, mark)
        except Exception:
            log.exception("request %s failed", correlation)
            if has_started:
                raise
            await JSONResponse({"detail": "internal error"}, status_code=500)(scope, receive, mark)


class BodyLimit:
    """Refuses bodies over the limit (bytes) with 413, with or without Content-Length; reads others before passing them on."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on when its body is within the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        messages: list[Message] = []
        taken = int(announced) if announced.isdigit() and int(announced) > self._limit else 0
        while taken <= self._limit and (not messages or messages[-1].get("more_body")):
            messages.append(await receive())
            taken += len(messages[-1].get("body", b""))
        if taken > self._limit:
            await JSONResponse({"detail": "request body is too large"}, status_code=413)(scope, receive, send)
            return

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, replay, send)
