"""Access to PostgreSQL: a small pool of connections through a transaction pooler."""

from __future__ import annotations

import json

import asyncpg

from backend.shared.config import Config

# What is raised while the database cannot be reached or does not serve, not for a wrong statement. TimeoutError is an OSError.
OUTAGES = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
)


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def open_pool(config: Config, size: int = 8) -> asyncpg.Pool:
    """A pool of at most `size` connections without prepared statements (the pooler forbids them)."""
    return await asyncpg.create_pool(
        config.database_url,
        min_size=1,
        max_size=size,
        statement_cache_size=0,
        init=_prepare,
        timeout=5,
        command_timeout=20,
        server_settings={"search_path": f"{config.schema},public", "jit": "off"},
    )


def vector_literal(values: list[float]) -> str:
    """A vector in pgvector's text format."""
    return "[" + ",".join(f"{value:.7g}" for value in values) + "]"
