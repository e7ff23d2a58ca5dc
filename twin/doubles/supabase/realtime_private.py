"""Who may read and write a private channel: the policies on `realtime.messages`, asked under the caller's claims."""

from __future__ import annotations

import uuid
from typing import Any

import asyncpg

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.realtime_channel import Permissions

EXTENSIONS = ("broadcast", "presence")


class _Undo(Exception):
    """Takes back what was written only to ask the policies."""


async def permissions(project: Project, claims: dict[str, Any], topic: str) -> Permissions:
    """What the policies allow these claims on a topic."""
    read = await _readable(project, claims, topic)
    write = [await _writable(project, claims, topic, extension) for extension in EXTENSIONS]
    return Permissions(read[0], write[0], read[1], write[1])


async def _readable(project: Project, claims: dict[str, Any], topic: str) -> list[bool]:
    found: set[str] = set()
    ids = {extension: uuid.uuid4() for extension in EXTENSIONS}
    try:
        async with project.acting_as(claims) as connection:
            await connection.execute("SELECT set_config('realtime.topic', $1, true)", topic)
            role = await connection.fetchval("SELECT current_setting('role')")
            await connection.execute("RESET ROLE")
            for extension, message_id in ids.items():
                await connection.execute(
                    "INSERT INTO realtime.messages (id, topic, extension, private) VALUES ($1, $2, $3, true)",
                    *(message_id, topic, extension),
                )
            await connection.execute("SELECT set_config('role', $1, true)", role)
            rows = await connection.fetch("SELECT extension FROM realtime.messages WHERE id = ANY($1)", list(ids.values()))
            found = {row["extension"] for row in rows}
            raise _Undo
    except (_Undo, asyncpg.InsufficientPrivilegeError):
        pass
    return [extension in found for extension in EXTENSIONS]


async def _writable(project: Project, claims: dict[str, Any], topic: str, extension: str) -> bool:
    try:
        async with project.acting_as(claims) as connection:
            await connection.execute("SELECT set_config('realtime.topic', $1, true)", topic)
            await connection.execute(
                "INSERT INTO realtime.messages (topic, extension, private) VALUES ($1, $2, true)", topic, extension
            )
            raise _Undo
    except _Undo:
        return True
    except asyncpg.InsufficientPrivilegeError:
        return False
