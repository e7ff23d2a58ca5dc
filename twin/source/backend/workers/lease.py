"""Leases: who works on a job, and until when.

A claim is a lease. It is renewed while its worker works; when the worker dies, the job can be claimed again after the lease.
Every write of a worker is fenced by the id of its claim, so that a worker whose job was taken over changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

log = logging.getLogger("worker")
LEASE_SECONDS = 60.0
RENEWALS_PER_LEASE = 3
HELD = "SELECT true FROM upload_jobs WHERE job_id = $1 AND claim_id = $2 FOR UPDATE"
RENEW = "UPDATE upload_jobs SET lease_until = now() + make_interval(secs => $3) WHERE job_id = $1 AND claim_id = $2"


class LeaseLost(RuntimeError):
    """Another worker has taken the job over; this one must leave it alone."""


class Leases:
    """The leases of one worker's claims."""

    def __init__(self, pool: Any, speedup: float) -> None:
        self._pool = pool
        self.seconds = LEASE_SECONDS / speedup

    @asynccontextmanager
    async def kept(self, job: Any) -> AsyncIterator[None]:
        """Renew the lease while the body works on the job."""
        ended = asyncio.Event()
        renewing = asyncio.create_task(self._renew(job, ended))
        try:
            yield
        finally:
            ended.set()
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing

    async def _renew(self, job: Any, ended: asyncio.Event) -> None:
        # A cancelled statement may end with the error of its connection instead, which must not renew the lease for ever.
        while not ended.is_set():
            await asyncio.sleep(self.seconds / RENEWALS_PER_LEASE)
            try:
                await self._pool.execute(RENEW, job["job_id"], job["claim_id"], self.seconds)
            except Exception as error:
                log.warning("a lease cannot be renewed: %s", type(error).__name__)

    @asynccontextmanager
    async def holding(self, job: Any) -> AsyncIterator[Any]:
        """A transaction during which nobody can take the job over; raises LeaseLost where somebody has."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(HELD, job["job_id"], job["claim_id"]):
                raise LeaseLost(f"job {job['job_id']} was taken over")
            yield connection
