"""Access to PostgreSQL: one small pool that connects when it is first used."""

from __future__ import annotations

import asyncpg

from .settings import Settings

POOL_SIZE = 8
UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.TooManyConnectionsError,
)


async def open_pool(settings: Settings) -> asyncpg.Pool:
    """A pool that keeps no idle connection, so that the service also starts without its database."""
    return await asyncpg.create_pool(
        settings.database_url,
        min_size=0,
        max_size=POOL_SIZE,
        statement_cache_size=0,
        timeout=5,
        command_timeout=10,
        server_settings={"search_path": settings.schema},
    )
