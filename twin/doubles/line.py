"""A slow line to the database: every packet is delayed, in both directions; started only when a fault needs it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from twin.config import TwinConfig

PACKET = 65536


async def _carry_one_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(PACKET):
            await asyncio.sleep(seconds)
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError):
        writer.close()


async def carry(config: TwinConfig) -> None:
    """Serve until terminated; `behaviour.postgres` sets delay (s)."""
    seconds = config.behaviour["postgres"]["delay"]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", config.ports["postgres_inner"])
        await asyncio.gather(_carry_one_way(reader, inner_writer, seconds), _carry_one_way(inner_reader, writer, seconds))

    server = await asyncio.start_server(serve, "127.0.0.1", config.ports["postgres"])
    async with server:
        await server.serve_forever()
