"""Reconciliation: a job whose callback is overdue is looked up at LlamaParse, and goes on from what is found there."""

from __future__ import annotations

import logging
import time
from typing import Any

from backend.shared.calls import CallError
from backend.shared.config import Config
from backend.shared.parsing import RELEASED, conclude
from backend.shared.storage import Storage
from backend.shared.vendors import Vendors

log = logging.getLogger("worker")
CALLBACK_SECONDS = 120.0
PARSE_SECONDS = 3600.0
ENDED = {"FAILED": "parsing failed", "CANCELLED": "parsing was cancelled"}
# The next job that is overdue; no other worker sees it again before this one has had as long as a callback has.
OVERDUE = """
UPDATE upload_jobs j SET not_before = now() + make_interval(secs => $1) FROM documents d
WHERE d.document_id = j.document_id AND j.job_id = (
    SELECT job_id FROM upload_jobs
    WHERE status = 'parse_queued' AND state IN ('working', 'queued') AND coalesce(lease_until, now()) <= now()
      AND coalesce(not_before, updated_at + make_interval(secs => $1)) <= now()
    ORDER BY updated_at FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING j.job_id, j.document_id, j.parse_job_id, d.user_id, j.updated_at < now() - make_interval(secs => $2) AS is_hopeless
"""
WAITING = "SELECT true FROM upload_jobs WHERE job_id = $1 AND status = 'parse_queued' AND parse_job_id = $2 FOR UPDATE"
AGAIN = f"""UPDATE upload_jobs SET status = 'uploaded', state = 'queued', parse_job_id = NULL, not_before = NULL, {RELEASED},
    updated_at = now() WHERE job_id = $1 AND status = 'parse_queued' AND parse_job_id IS NOT DISTINCT FROM $2"""


class Reconciler:
    """Looks after the jobs that wait for a callback."""

    def __init__(self, config: Config, pool: Any, client: Vendors, storage: Storage) -> None:
        self._pool = pool
        self._client = client
        self._storage = storage
        self.callback_seconds = CALLBACK_SECONDS / config.patience_speedup
        self._pause = config.poll_interval / config.speedup
        self._next = 0.0

    async def run(self) -> None:
        """Look up all jobs whose callback is overdue; at most once in a poll interval."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._pause
        while await self._run_once():
            pass

    async def _run_once(self) -> bool:
        if not self._client.calls.circuit("llamaparse.jobs").is_available:
            return False
        row = await self._pool.fetchrow(OVERDUE, self.callback_seconds, PARSE_SECONDS)
        if row is None:
            return False
        try:
            await self._look_up(row)
        except CallError as error:
            log.warning("a parse job cannot be looked up: %s job_id=%s", error, row["job_id"])
        return True

    async def _look_up(self, row: Any) -> None:
        if row["parse_job_id"] is None:
            # Its worker died before LlamaParse had accepted the document.
            await self._submit_again(row, "was never accepted")
            return
        try:
            async with self._client.calls.to("llamaparse.jobs"):
                found = await self._client.llamaparse.parsing.get(row["parse_job_id"], expand=["markdown_full"])
                status, text = found.job.status, found.markdown_full or ""
                error = ENDED.get(status, "") and (found.job.error_message or ENDED[status])
        except CallError as failed:
            if failed.status != 404:
                raise
            await self._submit_again(row, "is not known to LlamaParse")
            return
        if status == "COMPLETED" or error:
            await self._conclude(row, text, error)
        elif row["is_hopeless"]:
            await self._conclude(row, "", f"parsing did not end within {PARSE_SECONDS:g} s")

    async def _conclude(self, row: Any, text: str, error: str) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(WAITING, row["job_id"], row["parse_job_id"]):
                log.info("the callback was lost, the result is there: job_id=%s", row["job_id"])
                await conclude(connection, self._storage, row, text, error)

    async def _submit_again(self, row: Any, reason: str) -> None:
        log.warning("a document %s, and is submitted again: job_id=%s", reason, row["job_id"])
        await self._pool.execute(AGAIN, row["job_id"], row["parse_job_id"])
