"""What keeps the project's services from their database, as the database's client raises it."""

from __future__ import annotations

import asyncpg

LOST = (
    ConnectionError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
)
READ_ONLY = asyncpg.ReadOnlySQLTransactionError
