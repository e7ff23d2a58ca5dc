"""The line to the database, slow or with TLS at its end as a pooler has it; started only when a change needs it."""

from __future__ import annotations

import asyncio
import random
import ssl
import struct
import warnings
from contextlib import suppress
from pathlib import Path

from twin.certificates import of
from twin.config import TwinConfig

PACKET = 65536
# PostgreSQL's SSLRequest: its length and its code.
TLS_REQUEST = struct.pack("!ii", 8, 80877103)
# What a pooler sends to a client without TLS: severity, SQLSTATE, message.
_FIELDS = b"SFATAL\0C28000\0MSSL connection is required\0\0"
REFUSAL = b"E" + struct.pack("!i", len(_FIELDS) + 4) + _FIELDS


async def _carry_one_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float, jitter: float) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(PACKET):
            await asyncio.sleep(seconds + random.uniform(0, jitter))
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError):
        writer.close()


def _context(config: TwinConfig) -> ssl.SSLContext:
    behaviour, files = config.behaviour["postgres"], (config.cert_file, config.key_file)
    own = of("postgres", config.cert_file), of("postgres", config.key_file)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if ciphers := behaviour.get("ciphers"):
        context.set_ciphers(ciphers)
    if behaviour.get("oldest") == "1.0":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
    context.load_cert_chain(*(own if Path(own[0]).exists() else files))
    return context


async def _accept_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, config: TwinConfig) -> bytes:
    """What the client sent first; where that was a request for TLS, it is granted, and nothing is left of it."""
    first = await reader.readexactly(len(TLS_REQUEST))
    if first != TLS_REQUEST:
        if config.behaviour["postgres"].get("demands"):
            writer.write(REFUSAL)
            await writer.drain()
            raise ConnectionRefusedError
        return first
    context = _context(config)
    writer.write(b"S")
    await writer.drain()
    await writer.start_tls(context)
    return b""


async def carry(config: TwinConfig) -> None:
    """Serve until terminated; `behaviour.postgres` sets delay (s), jitter (s, at most) and tls, as a pooler offers it.

    With tls, `demands` refuses clients without it, `oldest` is its oldest version, and `ciphers` are OpenSSL's words.
    """
    behaviour = config.behaviour["postgres"]
    delays = behaviour["delay"], behaviour.get("jitter", 0.0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            first = await _accept_tls(reader, writer, config) if behaviour.get("tls") else b""
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", config.ports["postgres_inner"])
            inner_writer.write(first)
            await asyncio.gather(_carry_one_way(reader, inner_writer, *delays), _carry_one_way(inner_reader, writer, *delays))

    server = await asyncio.start_server(serve, config.behind.get("postgres", "127.0.0.1"), config.ports["postgres"])
    async with server:
        await server.serve_forever()
