"""Sends the changes of published tables to those who subscribed and may see them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterable
from typing import Any

import asyncpg

from twin.doubles.supabase.lost_database import LOST
from twin.doubles.supabase.project import Project
from twin.doubles.supabase.realtime_channel import Channel
from twin.doubles.supabase.realtime_hub import Hub
from twin.doubles.supabase.realtime_rows import Rows, data_of, refusal_of
from twin.doubles.supabase.realtime_wal import PUBLICATIONS, READ, Change, Decoder

POLL_SECONDS = 0.1
MESSAGES = ("realtime", "messages")


class Changes:
    """Reads the database's log for as long as somebody is interested in it."""

    def __init__(self, project: Project, hub: Hub) -> None:
        self.rows = Rows(project)
        self._project = project
        self._hub = hub
        self._lock = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._slot = ""

    async def listen(self) -> None:
        """Return once every later change will be read."""
        async with self._lock:
            if self._connection is not None and not self._connection.is_closed():
                return
            await self._close()
            connection = await self._open()
            self._task = asyncio.create_task(self._read(connection))

    async def _open(self) -> asyncpg.Connection:
        """Read on a new connection, from now on; what was written while there was none is not read."""
        self._slot = f"supabase_realtime_{os.getpid()}_{os.urandom(3).hex()}"
        connection = await asyncpg.connect(self._project.config.database_admin_url)
        await connection.execute("SELECT pg_create_logical_replication_slot($1, 'pgoutput', true)", self._slot)
        self._connection = connection
        return connection

    async def place(self) -> int:
        """Return the place in the database's log that the next commit will be written behind."""
        return int(await self._project.pool.fetchval("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    async def stop(self) -> None:
        """Stop reading."""
        async with self._lock:
            await self._close()

    async def _close(self) -> None:
        task, self._task = self._task, None
        connection, self._connection = self._connection, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if connection is not None:
            await connection.close()

    async def _read(self, connection: asyncpg.Connection) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            async with self._lock:
                if not any(channel.needs_log for channel in self._hub.channels):
                    await self._close()
                    return
            if connection.is_closed():
                with contextlib.suppress(*LOST):
                    connection = await self._open()
                continue
            try:
                rows = await connection.fetch(READ, self._slot, PUBLICATIONS)
            except LOST:
                continue
            except asyncpg.PostgresError:
                # A publication that is missing: nothing is published until there is one.
                continue
            decoder = Decoder()
            for change in filter(None, map(decoder.decode, (row["data"] for row in rows))):
                with contextlib.suppress(*LOST):
                    await self._publish(change)

    async def _publish(self, change: Change) -> None:
        if (change.table.schema, change.table.name) == MESSAGES:
            await self._broadcast(change)
            return
        interested = [channel for channel in self._hub.channels if channel.hears(change)]
        if not interested:
            return
        types = await self.rows.types(change.table)
        new = await self.rows.typed(change.table, types, change.new)
        old = await self.rows.typed(change.table, types, change.old)
        secured = await self.rows.is_secured(change.table)
        if secured:
            old = {key: old.get(key) for key in change.table.keys}
        for channel in interested:
            data = await self._data_for(channel, change, types, (new, old), secured=secured)
            if data is not None:
                await self._send(channel, change, types, data)

    async def _data_for(
        self, channel: Channel, change: Change, types: dict[str, str], rows: tuple[Any, Any], *, secured: bool
    ) -> dict[str, Any] | None:
        readable = await self.rows.privileges(change.table, str(channel.claims.get("role")))
        if not readable.issuperset(change.table.keys) or not change.table.keys:
            return refusal_of(change)
        # A deleted row cannot be asked for any more: its key goes to every subscriber of the table.
        hidden = secured and self._project.behaviour.get("topics") != "everybody"
        if hidden and change.action != "DELETE" and not await self.rows.is_visible(change, types, channel.claims):
            return None
        return data_of(change, types, *rows, readable)

    async def _send(self, channel: Channel, change: Change, types: dict[str, str], data: dict[str, Any]) -> None:
        name = (change.table.schema, change.table.name, change.action)
        passing = [w for w in channel.wanted if w.covers(*name) and await self.rows.passes(change, types, w)]
        by_columns: dict[tuple[str, ...], list[int]] = {}
        for wanted in passing:
            by_columns.setdefault(wanted.columns, []).append(wanted.id)
        for columns, ids in by_columns.items():
            await channel.push("postgres_changes", {"ids": ids, "data": _limited(data, columns)})

    async def _broadcast(self, change: Change) -> None:
        row = change.new
        if change.action != "INSERT" or row.get("extension") != "broadcast":
            return
        payload = json.loads(row.get("payload") or "{}")
        message = {"event": row.get("event"), "payload": payload, "type": "broadcast", "meta": {"id": row.get("id")}}
        await self._hub.broadcast(f"realtime:{row.get('topic')}", message, private=row.get("private") == "t")


def _limited(data: dict[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    kept = set(columns)
    if not kept:
        return data
    fewer = dict(data)
    for part in ("record", "old_record"):
        if part in data:
            fewer[part] = {name: value for name, value in data[part].items() if name in kept}
    fewer["columns"] = [column for column in data["columns"] if column["name"] in kept]
    return fewer
