"""What hosts put in front of a service that works: delays, headers, encodings, repetitions; and what breaks it for a fault."""

from __future__ import annotations

import asyncio
import gzip
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
BODILESS = (204, 304)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Latency (s, at most), headers that are set, body encodings, and what is delivered late or twice by path.

    What breaks a service: statuses in the place of others, a key in the place of whichever opens a socket, and sockets on which
    nothing arrives.
    """

    latency: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    gzip: bool = False
    pieces: int = 0
    late: Mapping[str, float] = field(default_factory=dict)
    repeated: tuple[str, ...] = ()
    statuses: Mapping[str, int] = field(default_factory=dict)
    socket_key: str = ""
    deaf: bool = False


@dataclass
class Kept:
    """A response that is held back until it is complete."""

    start: Message = field(default_factory=dict)
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        """Keep a part."""
        if message["type"] == "http.response.start":
            self.start, self.headers = message, list(message["headers"])
        else:
            self.body += message.get("body", b"")

    def header(self, name: bytes) -> bytes:
        """The value of a header, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), b"")

    def replace(self, without: set[bytes], *more: tuple[bytes, bytes]) -> None:
        """Change the headers."""
        self.headers = [pair for pair in self.headers if pair[0].lower() not in without] + list(more)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _again(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


class Edge:
    """An ASGI application in front of another one."""

    def __init__(self, app: Application, options: Options) -> None:
        self._app, self._options = app, options

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(self._opened(scope), self._unheard(receive) if self._options.deaf else receive, send)
            return
        options, path = self._options, scope["path"]
        late = (seconds for prefix, seconds in options.late.items() if path.startswith(prefix))
        await asyncio.sleep(random.uniform(0, options.latency) + sum(late))
        if path.startswith(options.repeated):
            receive = _again(await _body(receive))
            await self._app(scope, receive, Kept().send)
        kept = Kept()
        await self._app(scope, receive, kept.send)
        await self._pass_on(scope, kept, send)

    def _opened(self, scope: Message) -> Message:
        key = self._options.socket_key
        return scope | {"query_string": urlencode({"apikey": key, "vsn": "1.0.0"}).encode()} if key else scope

    @staticmethod
    def _unheard(receive: Receive) -> Receive:
        async def receive_nothing() -> Message:
            while (message := await receive())["type"] == "websocket.receive":
                pass
            return message

        return receive_nothing

    async def _pass_on(self, scope: Message, kept: Kept, send: Send) -> None:
        options = self._options
        kept.start |= {"status": options.statuses.get(str(kept.start["status"]), kept.start["status"])}
        has_body = scope["method"] != "HEAD" and kept.start["status"] not in BODILESS
        accepted = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding")
        if options.gzip and has_body and b"gzip" in accepted and not kept.header(b"content-encoding"):
            kept.body = gzip.compress(kept.body)
            length = str(len(kept.body)).encode()
            packed = (b"content-encoding", b"gzip"), (b"content-length", length), (b"vary", b"Accept-Encoding")
            kept.replace({b"content-length"}, *packed)
        if options.pieces and has_body:
            kept.replace({b"content-length"})
        own = [(name.encode(), value.encode()) for name, value in options.headers.items()]
        kept.replace({name.lower() for name, _ in own}, *own)
        await send(kept.start | {"headers": kept.headers})
        size = options.pieces or max(1, len(kept.body))
        for start in range(0, len(kept.body), size):
            await send({"type": "http.response.body", "body": kept.body[start : start + size], "more_body": True})
        await send({"type": "http.response.body", "body": b""})
