"""What is recorded of a job that did not get on: it waits, it is tried again, or it has failed for good."""

from __future__ import annotations

import json

from backend.workers import journal
from backend.workers.ledger import Job, Ledger
from backend.workers.settings import Settings
from backend.workers.troubles import Trouble

# By the stage that a job was in: what has failed, and how the status says so.
PARTS = {
    "uploaded": "parse",
    "parse_queued": "parse",
    "parsed": "parse",
    "parse_validated": "chunking",
    "chunking": "chunking",
}
REST = "embedding"
# A claim that ended without any result counts as a try from here on.
PUT_BACK = """
UPDATE upload_jobs
SET state = $2, not_before = now() + make_interval(secs => $3), claim_id = NULL, lease_until = NULL, updated_at = now(),
    retry_count = retry_count + $4, claims = $5, last_error = coalesce($6::jsonb, last_error)
WHERE job_id = $1"""


class Outcomes:
    """Records them under the job's claim; each raises Superseded where that has ended."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings

    async def tried(self, job: Job, reason: str, wish: float = 0.0) -> None:
        """A try has failed: there will be another one later, unless it was the last one."""
        if job.retry_count >= self._settings.retries:
            await self.failed(job, reason)
            return
        seconds = max(self._settings.backoff_seconds * 2**job.retry_count, wish)
        error = self._error(job, reason) | {"attempt": job.retry_count + 1}
        async with self._ledger.holding(job, settles=True) as connection:
            await connection.execute(PUT_BACK, job.job_id, "retryable", seconds, 1, 0, json.dumps(error))
            await self._ledger.tell(connection, job, "retry_scheduled", error)
        journal.note("warning", "will be tried again", job_id=job.job_id, seconds=round(seconds, 2), **error)

    async def refused_rest(self, job: Job, trouble: Trouble) -> None:
        """Nobody was asked: the job waits until somebody may be, and no try is spent."""
        error = json.dumps(self._error(job, str(trouble)))
        async with self._ledger.holding(job, settles=True) as connection:
            await connection.execute(PUT_BACK, job.job_id, "retryable", trouble.wish, 0, 0, error)
        journal.note("info", "waits for a service", job_id=job.job_id, service=trouble.service)

    async def waits(self, job: Job, seconds: float, **progress: int) -> None:
        """Nothing is wrong: the job is looked at again after so many seconds."""
        async with self._ledger.holding(job, settles=True) as connection:
            # Somebody may have asked meanwhile that it be looked at sooner.
            wanted = await connection.fetchval("SELECT not_before IS NOT NULL FROM upload_jobs WHERE job_id = $1", job.job_id)
            await connection.execute(PUT_BACK, job.job_id, "queued", 0.0 if wanted else seconds, 0, 0, None)
            await connection.execute(
                "UPDATE upload_jobs SET progress = progress || $2::jsonb WHERE job_id = $1", job.job_id, json.dumps(progress)
            )

    async def failed(self, job: Job, reason: str) -> None:
        """The job has failed for good."""
        error = self._error(job, reason)
        status = f"failed_{error['stage']}"
        async with self._ledger.holding(job, settles=True) as connection:
            await connection.execute(
                """UPDATE upload_jobs SET status = $2, state = 'deadletter', last_error = $3::jsonb, not_before = NULL,
                       claim_id = NULL, lease_until = NULL, claims = 0, updated_at = now() WHERE job_id = $1""",
                job.job_id,
                status,
                json.dumps(error),
            )
            await self._ledger.mark(connection, job, status)
            await self._ledger.tell(connection, job, status, error)
        journal.note("error", "has failed for good", job_id=job.job_id, status=status, **error)

    async def handed_back(self, job: Job) -> None:
        """The worker cannot go on: whoever comes next begins at once, as if there had been no claim."""
        async with self._ledger.holding(job, settles=True) as connection:
            state = "retryable" if job.retry_count else "queued"
            await connection.execute(PUT_BACK, job.job_id, state, 0.0, 0, max(0, job.claims - 1), None)
        journal.note("info", "handed back", job_id=job.job_id, status=job.status)

    @staticmethod
    def _error(job: Job, reason: str) -> dict[str, str | int]:
        return {"stage": PARTS.get(job.status, REST), "reason": reason}
