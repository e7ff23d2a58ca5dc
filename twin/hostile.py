"""Servers that misbehave: silent, slow, endless, resetting, redirecting in a loop, with bad TLS, or not running.

They prove that the gate ends in time against each of them. Real sockets on loopback, one port each.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import trustme

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
DRIP_SECONDS = 0.5
CHUNK = 64 * 1024
BIG_BODY = 100 * 1024 * 1024
RESET_EVERY = 3
BROKEN = (OSError, asyncio.IncompleteReadError, ssl.SSLError)


async def _request(reader: asyncio.StreamReader) -> str:
    """The request line, after the whole head has been read."""
    head = await reader.readuntil(b"\r\n\r\n")
    return head.split(b"\r\n", 1)[0].decode("latin-1")


async def _drain(writer: asyncio.StreamWriter) -> None:
    """Wait until the buffer has space, and let other tasks run even when it always has."""
    await writer.drain()
    await asyncio.sleep(0)


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Accepts everything and never responds."""
    while await reader.read(CHUNK):
        continue


def drips(head: bytes, part: bytes) -> Handler:
    """Starts a response, then sends one part of it every half second, without end."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n" + head)
        while not writer.is_closing():
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(DRIP_SECONDS)

    return handle


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A body without end, as fast as the client reads."""
    await _request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    part = b"%x\r\n%s\r\n" % (CHUNK, b"[" * CHUNK)
    while not writer.is_closing():
        writer.write(part)
        await _drain(writer)


async def endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Header lines without end."""
    await _request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in count():
        if writer.is_closing():
            return
        writer.write(b"x-%d: %s\r\n" % (number, b"y" * 1000))
        await _drain(writer)


async def huge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """100 MB: deeply nested JSON, then invalid UTF-8."""
    while True:
        await _request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % BIG_BODY)
        writer.write(b"[" * CHUNK)
        for _ in range(BIG_BODY // CHUNK - 1):
            if writer.is_closing():
                return
            writer.write(b"\xff\xc0\x1b[" * (CHUNK // 4))
            await _drain(writer)


async def redirects(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Redirects each request to its own path."""
    while True:
        target = (await _request(reader)).split(" ")[1]
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: %s\r\ncontent-length: 0\r\n\r\n" % target.encode("latin-1"))
        await writer.drain()


def resets(inner: tuple[str, int]) -> Handler:
    """Forwards connections to a server, but resets every third one."""
    numbers = count(1)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if next(numbers) % RESET_EVERY == 0:
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return
        inner_reader, inner_writer = await asyncio.open_connection(*inner)
        with suppress(*BROKEN):
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        inner_writer.close()

    return handle


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(CHUNK):
        writer.write(part)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speaks plain HTTP where TLS is expected."""
    await reader.read(64)
    writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")


@dataclass
class Kind:
    """One kind of server: how it handles a connection, and its TLS (trusted, unknown authority, none)."""

    name: str
    handler: Handler | None
    tls: str = "trusted"


KINDS = (
    Kind("accepts and never responds", silent),
    Kind("sends a body byte by byte", drips(b"content-type: application/json\r\ncontent-length: 100000\r\n\r\n", b" ")),
    Kind("sends a header byte by byte", drips(b"x-never-ends: ", b"x")),
    Kind("endless body", endless),
    Kind("endless header", endless_head),
    Kind("100 MB of invalid data", huge),
    Kind("redirect loop", redirects),
    Kind("untrusted certificate", redirects, "unknown"),
    Kind("no TLS", no_tls, "none"),
    Kind("not running", None),
)


@dataclass
class Server:
    """A server of one kind while it is running; `authority` is the CA file that clients trust."""

    kind: Kind
    folder: Path
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None
    _server: asyncio.Server | None = None

    @property
    def authority(self) -> Path:
        """File with the authority's certificate."""
        return self.folder / "hostile-ca.pem"

    def __enter__(self) -> Server:
        context = self._context()
        if self.kind.handler is None:
            with socket.create_server(("127.0.0.1", 0)) as held:
                self.port = held.getsockname()[1]
            return self
        started = threading.Event()

        async def serve() -> None:
            self._server = await asyncio.start_server(self._guarded, "127.0.0.1", 0, ssl=context)
            self.port = self._server.sockets[0].getsockname()[1]
            started.set()

        self._loop.set_exception_handler(lambda *_: None)
        self._loop.create_task(serve())
        self._thread = threading.Thread(target=self._loop.run_forever, name="hostile", daemon=True)
        self._thread.start()
        started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
        self._loop.close()

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        current = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not current]
        for task in others:
            task.cancel()
        await asyncio.wait(others or [asyncio.create_task(asyncio.sleep(0))], timeout=2)

    async def _guarded(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self.kind.handler is not None
        with suppress(*BROKEN):
            await self.kind.handler(reader, writer)
        writer.close()

    def _context(self) -> ssl.SSLContext | None:
        trusted, unknown = trustme.CA(), trustme.CA()
        trusted.cert_pem.write_to_path(str(self.authority))
        if self.kind.tls == "none":
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (trusted if self.kind.tls == "trusted" else unknown).issue_cert("localhost", "127.0.0.1").configure_cert(context)
        return context
