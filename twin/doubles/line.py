"""The line to the database, slow or with TLS at its end as a pooler has it; started only when a change needs it."""

from __future__ import annotations

import asyncio
import random
import ssl
import struct
from contextlib import suppress

from twin.config import TwinConfig

PACKET = 65536
# PostgreSQL's SSLRequest: its length and its code.
TLS_REQUEST = struct.pack("!ii", 8, 80877103)


async def _carry_one_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float, jitter: float) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(PACKET):
            await asyncio.sleep(seconds + random.uniform(0, jitter))
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError):
        writer.close()


async def _accept_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, config: TwinConfig) -> bytes:
    """What the client sent first; where that was a request for TLS, it is granted, and nothing is left of it."""
    first = await reader.readexactly(len(TLS_REQUEST))
    if first != TLS_REQUEST:
        return first
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(config.cert_file, config.key_file)
    writer.write(b"S")
    await writer.drain()
    await writer.start_tls(context)
    return b""


async def carry(config: TwinConfig) -> None:
    """Serve until terminated; `behaviour.postgres` sets delay (s), jitter (s, at most) and tls, as a pooler offers it."""
    behaviour = config.behaviour["postgres"]
    delays = behaviour["delay"], behaviour.get("jitter", 0.0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            first = await _accept_tls(reader, writer, config) if behaviour.get("tls") else b""
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", config.ports["postgres_inner"])
            inner_writer.write(first)
            await asyncio.gather(_carry_one_way(reader, inner_writer, *delays), _carry_one_way(inner_reader, writer, *delays))

    server = await asyncio.start_server(serve, "127.0.0.1", config.ports["postgres"])
    async with server:
        await server.serve_forever()
