"""One line of log for each request."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("api")


class RequestLog:
    """Writes method, path, status and time of every request, and the traceback of one that breaks; a query may hold tokens."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and write its line."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        request = f"{scope['method']} {scope['path']}"
        try:
            await self.app(scope, receive, note)
        except Exception:
            log.exception("%r failed", request)
            raise
        spent = (time.perf_counter() - started) * 1000
        log.log(logging.ERROR if status >= 500 else logging.INFO, "%r %d %.1f ms", request, status, spent)
