"""The queue of jobs in PostgreSQL: claim one, advance it, postpone it, fail it."""

from __future__ import annotations

import json
import logging
from typing import Any

from backend.shared.calls import CallError
from backend.shared.config import Config
from backend.shared.parsing import RELEASED
from backend.workers.lease import Leases

log = logging.getLogger("worker")
UPLOAD_WINDOW_SECONDS = 300
LONGEST_DELAY_SECONDS = 3600.0
LONGEST_POSTPONEMENT_SECONDS = 60.0
# About a day of postponements; then they count as failed attempts.
MOST_POSTPONEMENTS = 1440
FAILED = {
    "uploaded": "failed_parse",
    "parsed": "failed_parse",
    "parse_validated": "failed_chunking",
    "chunks_stored": "failed_embedding",
    "embeddings_stored": "failed_embedding",
}
CLAIM = """
UPDATE upload_jobs SET claim_id = gen_random_uuid(), lease_until = now() + make_interval(secs => $5), claims = claims + 1,
    state = 'working', updated_at = now() WHERE job_id = (
    SELECT job_id FROM upload_jobs
    WHERE (state = 'queued' OR (state = 'retryable' AND coalesce(not_before, updated_at) <= now())
           OR (state = 'working' AND lease_until <= now()))
      AND status = ANY($1)
    ORDER BY array_position($2::text[], status), CASE WHEN status = ANY($3) THEN updated_at ELSE created_at END
    FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING job_id, document_id, status, retry_count, progress, created_at, claim_id, claims,
    (SELECT now() - upload_jobs.created_at > make_interval(secs => $4)) AS upload_expired
"""


class PermanentError(RuntimeError):
    """Another attempt cannot help."""


class JobQueue:
    """The jobs that this worker may claim; every change of one is fenced by its claim (LeaseLost)."""

    def __init__(self, config: Config, pool: Any) -> None:
        self._config = config
        self._pool = pool
        self.leases = Leases(pool, config.speedup)

    async def claim(self, stages: list[str], on_trial: list[str]) -> Any:
        """The oldest job that is due, in the order of the stages, or None; other workers skip it.

        Of stages that are on trial it is the one that was tried the longest ago, lest one bad document fails each trial.
        """
        speedup = self._config.speedup
        return await self._pool.fetchrow(
            CLAIM,
            stages,
            stages,
            on_trial,
            UPLOAD_WINDOW_SECONDS / speedup,
            self.leases.seconds,
        )

    async def advance(self, job: Any, status: str, **changes: Any) -> None:
        """Move a job to its next status (see `advance_in`)."""
        async with self.leases.holding(job) as connection:
            await self.advance_in(connection, job, status, **changes)

    async def advance_in(
        self,
        connection: Any,
        job: Any,
        status: str,
        state: str = "queued",
        webhook_secret: str | None = None,
        progress: dict[str, Any] | None = None,
        released: bool = True,
    ) -> None:
        """Move a job that is held to its next status and reset its retries; `released` unless the worker goes on with it."""
        await connection.execute(
            f"""UPDATE upload_jobs SET status = $2, state = $3, webhook_secret = coalesce($4, webhook_secret),
                   progress = coalesce($5, progress) - 'awaiting_upload' - 'postponed', retry_count = 0, not_before = NULL,
                   {f"{RELEASED}," if released else ""} updated_at = now()
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

    async def await_callback(self, job: Any, parse_job_id: str, seconds: float) -> None:
        """Release a job that LlamaParse has accepted under this id; its callback is overdue after so many seconds.

        A callback that was faster has released the job already, or has made the worker doubt.
        """
        await self._pool.execute(
            f"""UPDATE upload_jobs SET parse_job_id = $3, {RELEASED},
                    not_before = coalesce(not_before, now() + make_interval(secs => $4))
                WHERE job_id = $1 AND claim_id = $2""",
            job["job_id"],
            job["claim_id"],
            parse_job_id,
            seconds,
        )

    async def wait_for_upload(self, job: Any) -> None:
        """Postpone a job whose bytes have not arrived; this is not counted as a failure."""
        async with self.leases.holding(job) as connection:
            await connection.execute(
                f"""UPDATE upload_jobs SET state = 'retryable', progress = progress || '{{"awaiting_upload": true}}',
                       not_before = now() + make_interval(secs => $2), {RELEASED}, updated_at = now() WHERE job_id = $1""",
                job["job_id"],
                self._config.poll_interval / self._config.speedup,
            )

    async def postpone(self, job: Any, error: Exception) -> None:
        """Put a job off that cannot be worked on at present, which is no fault of its own: its retries are not used up."""
        times = job["progress"].get("postponed", 0) + 1
        if times > MOST_POSTPONEMENTS:
            await self.fail(job, error)
            return
        reason = {"stage": job["status"], "reason": str(error)[:500] or type(error).__name__, "postponed": times}
        log.warning(json.dumps({"job_id": str(job["job_id"]), **reason}))
        async with self.leases.holding(job) as connection:
            await connection.execute(
                f"""UPDATE upload_jobs SET status = $2, state = 'retryable', not_before = now() + make_interval(secs => $3),
                       last_error = $4, progress = progress || $5::jsonb, {RELEASED}, updated_at = now() WHERE job_id = $1""",
                job["job_id"],
                job["status"],
                self._delay(error, min(times, 10), LONGEST_POSTPONEMENT_SECONDS),
                reason,
                {"postponed": times},
            )

    def _delay(self, error: Exception, attempt: int, longest: float = LONGEST_DELAY_SECONDS) -> float:
        """Seconds until the next attempt: longer from one to the next, and never sooner than the service asks for."""
        own = min(self._config.retry_base_delay * 2.0 ** (attempt - 1), longest) / self._config.speedup
        asked = (error.retry_after or 0.0) if isinstance(error, CallError) else 0.0
        return max(own, min(asked, LONGEST_DELAY_SECONDS))

    async def fail(self, job: Any, error: Exception) -> None:
        """Postpone a failed job, or end it when the error is permanent or the retries are used up."""
        attempt = job["retry_count"] + 1
        final = isinstance(error, PermanentError) or attempt > self._config.max_retries
        reason = {"stage": job["status"], "reason": str(error)[:500] or type(error).__name__, "attempt": attempt}
        status = FAILED[job["status"]] if final else job["status"]
        log.warning(json.dumps({"job_id": str(job["job_id"]), "final": final, **reason}))
        async with self.leases.holding(job) as connection:
            await connection.execute(
                f"""UPDATE upload_jobs SET status = $2, state = $3, not_before = now() + make_interval(secs => $4),
                       retry_count = $5, last_error = $6, progress = progress - 'awaiting_upload', {RELEASED},
                       updated_at = now() WHERE job_id = $1""",
                job["job_id"],
                status,
                "deadletter" if final else "retryable",
                self._delay(error, attempt),
                attempt,
                reason,
            )
            if final:
                await self._record(connection, job, status, reason)
