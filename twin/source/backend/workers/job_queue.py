"""The queue of jobs in PostgreSQL: claim one, advance it, postpone it, fail it."""

from __future__ import annotations

import json
import logging
from typing import Any

from backend.shared.config import Config

log = logging.getLogger("worker")
UPLOAD_WINDOW_SECONDS = 300
FAILED = {
    "uploaded": "failed_parse",
    "parsed": "failed_parse",
    "parse_validated": "failed_chunking",
    "chunks_stored": "failed_embedding",
    "embeddings_stored": "failed_embedding",
}
CLAIM = """
UPDATE upload_jobs SET state = 'working', updated_at = now() WHERE job_id = (
    SELECT job_id FROM upload_jobs
    WHERE (state = 'queued' OR (state = 'retryable' AND updated_at + make_interval(secs =>
              CASE WHEN progress ? 'awaiting_upload' THEN $1 ELSE $2 * power(2, greatest(retry_count - 1, 0)) END
          ) <= now()))
      AND status = ANY($3)
    ORDER BY array_position($4::text[], status), created_at
    FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING job_id, document_id, status, retry_count, progress, created_at,
    (SELECT now() - upload_jobs.created_at > make_interval(secs => $5)) AS upload_expired
"""


class PermanentError(RuntimeError):
    """Another attempt cannot help."""


class JobQueue:
    """The jobs that this worker may claim."""

    def __init__(self, config: Config, pool: Any) -> None:
        self._config = config
        self._pool = pool

    async def claim(self, stages: list[str]) -> Any:
        """The oldest job that is due, in the order of the stages, or None; other workers skip it."""
        speedup = self._config.speedup
        return await self._pool.fetchrow(
            CLAIM,
            self._config.poll_interval / speedup,
            self._config.retry_base_delay / speedup,
            stages,
            stages,
            UPLOAD_WINDOW_SECONDS / speedup,
        )

    async def advance(
        self,
        job: Any,
        status: str,
        state: str = "queued",
        webhook_secret: str | None = None,
        progress: dict[str, Any] | None = None,
    ) -> None:
        """Move a job to its next status and reset its retries."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                """UPDATE upload_jobs SET status = $2, state = $3, webhook_secret = coalesce($4, webhook_secret),
                       progress = coalesce($5, progress - 'awaiting_upload'), retry_count = 0, updated_at = now()
                   WHERE job_id = $1""",
                job["job_id"],
                status,
                state,
                webhook_secret,
                progress,
            )
            await self._record(connection, job, status, {})

    async def _record(self, connection: Any, job: Any, status: str, payload: dict[str, Any]) -> None:
        await connection.execute(
            "UPDATE documents SET processing_status = $2, updated_at = now() WHERE document_id = $1",
            job["document_id"],
            status,
        )
        await connection.execute(
            "INSERT INTO events (job_id, document_id, type, payload) VALUES ($1, $2, $3, $4)",
            job["job_id"],
            job["document_id"],
            status,
            payload,
        )
        log.info(json.dumps({"job_id": str(job["job_id"]), "status": status}))

    async def wait_for_upload(self, job: Any) -> None:
        """Postpone a job whose bytes have not arrived; this is not counted as a failure."""
        await self._pool.execute(
            """UPDATE upload_jobs SET state = 'retryable', progress = progress || '{"awaiting_upload": true}',
                   updated_at = now() WHERE job_id = $1""",
            job["job_id"],
        )

    async def fail(self, job: Any, error: Exception) -> None:
        """Postpone a failed job, or end it when the error is permanent or the retries are used up."""
        attempt = job["retry_count"] + 1
        final = isinstance(error, PermanentError) or attempt > self._config.max_retries
        reason = {"stage": job["status"], "reason": str(error)[:500] or type(error).__name__, "attempt": attempt}
        status = FAILED[job["status"]] if final else job["status"]
        log.warning(json.dumps({"job_id": str(job["job_id"]), "final": final, **reason}))
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                """UPDATE upload_jobs SET status = $2, state = $3, retry_count = $4, last_error = $5,
                       progress = progress - 'awaiting_upload', updated_at = now() WHERE job_id = $1""",
                job["job_id"],
                status,
                "deadletter" if final else "retryable",
                attempt,
                reason,
            )
            if final:
                await self._record(connection, job, status, reason)
