"""The application for servers that speak ASGI, such as uvicorn: it listens on a socket of its own behind them."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

LOG = logging.getLogger("api.bridge")
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# Belongs to one connection, or is written anew by the server in front.
OF_CONNECTION = {b"connection", b"keep-alive", b"transfer-encoding", b"date", b"server"}
AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class Bridge:
    """An ASGI application made of an aiohttp application."""

    def __init__(self, make: Callable[[], web.Application], most_bytes: int) -> None:
        self._make, self._most_bytes = make, most_bytes
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._carry(scope, await self._body(receive), send)

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        runner = web.AppRunner(self._make(), access_log=None, shutdown_timeout=1)
        with tempfile.TemporaryDirectory() as folder:
            await runner.setup()
            await web.UnixSite(runner, f"{folder}/api").start()
            connector = aiohttp.UnixConnector(path=f"{folder}/api", limit=0)
            try:
                async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as self._session:
                    yield
            finally:
                await runner.cleanup()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._listening():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            LOG.exception("the application does not start")
            await send({"type": "lifespan.startup.failed", "message": repr(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})

    async def _body(self, receive: Receive) -> bytes:
        """The body, or as much of it as proves that it is too long."""
        body = b""
        while len(body) <= self._most_bytes:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        return body

    async def _carry(self, scope: Message, body: bytes, send: Send) -> None:
        assert self._session is not None
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        url = URL("http://api" + (scope["raw_path"] + query).decode("latin-1"), encoded=True)
        skipped = OF_CONNECTION | {b"content-length"}
        headers = CIMultiDict((k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"] if k not in skipped)
        request = self._session.request(
            scope["method"], url, headers=headers, data=body or None, skip_auto_headers=AUTOMATIC, allow_redirects=False
        )
        async with request as response:
            kept = [(k.lower(), v) for k, v in response.raw_headers if k.lower() not in OF_CONNECTION]
            await send({"type": "http.response.start", "status": response.status, "headers": kept})
            await send({"type": "http.response.body", "body": await response.read()})
