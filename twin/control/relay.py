"""One link: a relay between those who reach a part at an address and the part itself. What passes is not read."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from twin.control.half import QUIET_SECONDS, Half

PACKET = 65536
BACKLOG = 128
# The order in which a link's disturbances count when there are several.
HOWS = ("refuse", "reset", "blackhole", "half", "slow")
Address = tuple[str, int]
Watch = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True)
class Effect:
    """What happens to a link: `how` of the control's kinds, and the seconds of each packet."""

    how: str
    seconds: float = 0.0


@dataclass(eq=False)
class Connection:
    """One client of the link; the server's side is missing while it is not reached."""

    client: asyncio.StreamWriter
    half: Half | None = None
    server: asyncio.StreamWriter | None = None

    def reset(self) -> None:
        """End both sides at once, as a machine does that knows nothing of the connection."""
        for writer in (self.client, self.server):
            if writer is not None:
                with suppress(OSError):
                    handle = writer.transport.get_extra_info("socket")
                    handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()


class Relay:
    """Listens at `address`, and connects to what `server` gives."""

    def __init__(self, address: Address, server: Callable[[], Address], is_plain: bool) -> None:
        self._server, self._is_plain = server, is_plain
        self._how, self._seconds = "", 0.0
        self._flows = asyncio.Event()
        self._flows.set()
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._accepting: asyncio.Task[None] | None = None
        # Connections that were made through it so far.
        self.made = 0
        # Sees the server's bytes before they pass.
        self.watch: Watch | None = None
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setblocking(False)
        self._socket.bind(address)

    def listen(self) -> None:
        """Let clients in."""
        self._socket.listen(BACKLOG)
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def apply(self, effects: list[Effect]) -> None:
        """Behave so from now on; with no effects the link is sound."""
        before = self._how
        hows = {effect.how for effect in effects}
        self._how = next((how for how in HOWS if how in hows), "")
        self._seconds = sum(effect.seconds for effect in effects if effect.how == "slow")
        if self._how == "refuse" and before != "refuse":
            self._close_door()
        elif self._how != "refuse" and before == "refuse":
            self.listen()
        if self._how in ("refuse", "reset"):
            self.reset()
        for connection in self._connections:
            connection.half = Half(False, self._is_plain) if self._how == "half" else None
        (self._flows.clear if self._how == "blackhole" else self._flows.set)()

    def reset(self) -> None:
        """End all connections."""
        for connection in list(self._connections):
            connection.reset()

    def close(self) -> None:
        """End the link."""
        self._close_door()
        self.reset()
        for task in self._connections.values():
            task.cancel()
        self._socket.close()

    def _close_door(self) -> None:
        # The socket keeps its address without listening: the system itself refuses those who come.
        if self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(self._socket)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            reader, writer = await asyncio.open_connection(sock=client)
            connection = Connection(writer, Half(True, self._is_plain) if self._how == "half" else None)
            if self._how == "reset":
                connection.reset()
                continue
            task = loop.create_task(self._carry(reader, connection))
            self._connections[connection] = task
            self.made += 1
            task.add_done_callback(partial(self._forget, connection))

    def _forget(self, connection: Connection, _: asyncio.Task[None]) -> None:
        self._connections.pop(connection, None)

    async def _carry(self, reader: asyncio.StreamReader, connection: Connection) -> None:
        try:
            await self._flows.wait()
            server_reader, connection.server = await asyncio.open_connection(*self._server())
            # Where one of the two fails, both end.
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_requests(reader, connection))
                both.create_task(self._pass_answers(server_reader, connection))
        except* OSError:
            connection.reset()
        finally:
            for writer in (connection.client, connection.server):
                if writer is not None:
                    writer.close()

    async def _pass_requests(self, reader: asyncio.StreamReader, connection: Connection) -> None:
        assert connection.server is not None
        while data := await reader.read(PACKET):
            await self._hold()
            if connection.half:
                connection.half.see_request(data)
            connection.server.write(data)
            await connection.server.drain()
        await self._flows.wait()
        with suppress(OSError):
            connection.server.write_eof()

    async def _pass_answers(self, reader: asyncio.StreamReader, connection: Connection) -> None:
        while data := await self._next(reader, connection):
            await self._hold()
            if self.watch is not None:
                await self.watch(data)
            half = connection.half
            connection.client.write(half.of_answer(data) if half else data)
            await connection.client.drain()
            if half and half.is_over:
                break
        await self._flows.wait()
        connection.client.close()
        # A client that still waits to send is not kept.
        assert connection.server is not None
        connection.server.close()

    async def _next(self, reader: asyncio.StreamReader, connection: Connection) -> bytes:
        """The server's next bytes; none when it has ended, or where an answer ends in the middle."""
        half = connection.half
        if half is None or not half.held:
            return await reader.read(PACKET)
        try:
            return await asyncio.wait_for(reader.read(PACKET), QUIET_SECONDS)
        except TimeoutError:
            connection.client.write(half.after_quiet())
            return b""

    async def _hold(self) -> None:
        await self._flows.wait()
        if self._seconds:
            await asyncio.sleep(self._seconds)
