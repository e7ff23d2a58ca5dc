"""The queue in PostgreSQL: who works on which job until when, and what became of it.

A claim is a lease that its holder renews. Whatever is recorded of a job is recorded under its claim, so that a holder who was
given up, because it died or was cut off, cannot disturb the one that followed it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from backend.workers.settings import Settings
from backend.workers.troubles import Superseded

# What is raised while the database cannot be reached or does not serve; TimeoutError is an OSError.
OUTAGES = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.DeadlockDetectedError,
)
CONNECTIONS = 6
CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 20.0
# A parked job is due when its callback is overdue. A job in work is free again when its holder's lease has ended.
CLAIM = """
WITH due AS (
    SELECT job_id FROM upload_jobs
    WHERE status = ANY($1::text[]) AND state IN ('queued', 'retryable', 'working')
      AND CASE
          WHEN state = 'working' THEN coalesce(lease_until, updated_at + make_interval(secs => $3)) <= now()
          WHEN status = 'parse_queued' THEN coalesce(not_before, updated_at + make_interval(secs => $4)) <= now()
          ELSE coalesce(not_before, now()) <= now() END
    ORDER BY created_at, job_id LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE upload_jobs j
SET state = 'working', claim_id = $2, lease_until = now() + make_interval(secs => $3), claims = j.claims + 1, not_before = NULL,
    webhook_secret = coalesce(nullif(j.webhook_secret, ''), $5), updated_at = now()
FROM due, documents d
WHERE j.job_id = due.job_id AND d.document_id = j.document_id
RETURNING j.job_id, j.document_id, j.claim_id, j.status, j.retry_count, j.claims, j.webhook_secret, j.parse_job_id,
    j.chunks_version, j.embed_version, extract(epoch FROM now() - j.created_at)::float8 AS age, now() AS claimed_at,
    coalesce((j.progress ->> 'asked')::int, 0) AS asked,
    d.user_id, d.raw_path, d.parsed_path, d.parsed_sha256, d.file_sha256"""
# Tries are counted anew for parsing, for cutting and for embedding, as each of them fails by a status of its own.
ENTER = """
UPDATE upload_jobs
SET status = $2, state = $3, not_before = NULL, progress = progress || $6::jsonb, updated_at = now(),
    claim_id = CASE WHEN $4 THEN NULL ELSE claim_id END,
    lease_until = CASE WHEN $4 THEN NULL ELSE clock_timestamp() + make_interval(secs => $5) END,
    claims = CASE WHEN $4 THEN 0 ELSE 1 END,
    retry_count = CASE WHEN $2 IN ('parsed', 'chunks_stored') THEN 0 ELSE retry_count END,
    last_error = CASE WHEN $2 = 'complete' THEN NULL ELSE last_error END
WHERE job_id = $1"""


@dataclass
class Job:
    """A job under this worker's claim; `status` is changed with it."""

    job_id: UUID
    document_id: UUID
    claim_id: UUID
    status: str
    retry_count: int
    claims: int
    webhook_secret: str
    parse_job_id: str | None
    chunks_version: str
    embed_version: str
    age: float
    claimed_at: Any
    # How often LlamaParse was asked after it in vain.
    asked: int
    user_id: UUID
    raw_path: str
    parsed_path: str | None
    parsed_sha256: str | None
    file_sha256: str
    # Whether this worker ended its claim itself, which is no reason to stop.
    is_settled: bool = False


class Ledger:
    """The worker's connections to its database."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: asyncpg.Pool | None = None

    async def pool(self) -> asyncpg.Pool:
        """The pool; it connects when it is used. The pooler in between keeps no prepared statements."""
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self._settings.database_url,
                min_size=0,
                max_size=CONNECTIONS,
                statement_cache_size=0,
                timeout=CONNECT_SECONDS,
                command_timeout=COMMAND_SECONDS,
                server_settings={"search_path": f"{self._settings.schema},public,extensions", "jit": "off"},
            )
        return self._pool

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            self._pool.terminate()

    async def claim(self, statuses: Sequence[str]) -> Job | None:
        """The oldest job that is due in one of these stages, now this worker's; None where there is none."""
        settings, secret = self._settings, uuid.uuid4().hex + uuid.uuid4().hex
        row = await (await self.pool()).fetchrow(
            CLAIM, list(statuses), uuid.uuid4(), settings.lease_seconds, settings.callback_window, secret
        )
        return Job(**dict(row)) if row else None

    async def renew(self, job: Job) -> bool:
        """Whether the job is still this worker's, which it then stays for another lease."""
        return await self.extend(await self.pool(), job)

    async def extend(self, source: Any, job: Job) -> bool:
        """The same in somebody's transaction, which may have begun long ago."""
        done = await source.execute(
            "UPDATE upload_jobs SET lease_until = clock_timestamp() + make_interval(secs => $3) "
            "WHERE job_id = $1 AND claim_id = $2",
            job.job_id,
            job.claim_id,
            self._settings.lease_seconds,
        )
        return bool(done != "UPDATE 0")

    @asynccontextmanager
    async def holding(self, job: Job, *, settles: bool = False) -> AsyncIterator[asyncpg.Connection]:
        """A transaction in which nobody else changes the job, and which may end the claim (`settles`).

        Raises Superseded where the job is no longer this worker's.
        """
        async with (await self.pool()).acquire() as connection, connection.transaction():
            # In this order: whoever deletes a document locks it before its job.
            await connection.execute("SELECT 1 FROM documents WHERE document_id = $1 FOR KEY SHARE", job.document_id)
            found = await connection.fetchval(
                "SELECT status FROM upload_jobs WHERE job_id = $1 AND claim_id = $2 FOR UPDATE", job.job_id, job.claim_id
            )
            if found != job.status:
                raise Superseded
            job.is_settled = settles
            yield connection

    async def enter(self, connection: Any, job: Job, status: str, *, leaves: bool = False, **counts: Any) -> None:
        """Take the job to its next stage: under the same claim, or (`leaves`) for whoever comes next."""
        state = "done" if status == "complete" else "queued" if leaves else "working"
        await connection.execute(ENTER, job.job_id, status, state, leaves, self._settings.lease_seconds, json.dumps(counts))
        await self.mark(connection, job, status)
        await self.tell(connection, job, status, counts)

    @staticmethod
    async def mark(connection: Any, job: Job, status: str) -> None:
        """Have the document follow its job."""
        await connection.execute(
            "UPDATE documents SET processing_status = $2, updated_at = now() WHERE document_id = $1", job.document_id, status
        )

    @staticmethod
    async def tell(connection: Any, job: Job, kind: str, payload: dict[str, Any]) -> None:
        """Add to the job's history."""
        await connection.execute(
            "INSERT INTO events (job_id, document_id, type, payload) VALUES ($1, $2, $3, $4::jsonb)",
            job.job_id,
            job.document_id,
            kind,
            json.dumps(payload),
        )
