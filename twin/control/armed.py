"""A worker that is killed while it works on a job that has a certain status.

The database's answers to the workers are held, one at a time, until the control has asked the database itself. The answer to a
claim comes after the claim is committed, and holds the job's id: so it is known who works on which job, and the worker dies
before it learns of the step that it has just taken. `step` counts these answers from the claim on; 1 is the claim's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import asyncpg

from twin.control import board
from twin.control.kinds import Wanted
from twin.control.links import Links
from twin.control.parts import Parts

WORKED_ON = "SELECT job_id, status FROM {schema}.upload_jobs WHERE state = 'working'"
# What may go wrong with the database while it is being disturbed as well.
ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
Kill = Callable[[str], Awaitable[None]]


class Armed:
    """One such disturbance, from `begin` to `end`."""

    def __init__(self, id: str, wanted: Wanted, parts: Parts, links: Links, kill: Kill) -> None:
        self._id, self._parts, self._links, self._kill = id, parts, links, kill
        self._target = wanted.target
        self._status = str(wanted.options["when_status"])
        self._job = wanted.options.get("job_id")
        self._step = int(wanted.options.get("step", 1))
        self._left = int(wanted.options.get("first", 1))
        self._query = WORKED_ON.format(schema=parts.config.api_env["DATABASE_SCHEMA"])
        self._connection: asyncpg.Connection | None = None
        self._lock = asyncio.Lock()
        # Who works on a job, and how many answers it had since it came to that.
        self._workers: dict[str, str] = {}
        self._steps: dict[str, int] = {}

    async def begin(self) -> None:
        """Hold the answers to the workers from now on; `worker` is all of them, any other name that one alone."""
        self._connection = await self._parts.postgres.connect("staging_db")
        self.watch()

    def watch(self) -> None:
        """Hold the answers to the workers that there are."""
        for source, relay in self._links.of("postgres").items():
            if source.startswith("worker") and self._target in ("worker", source):
                relay.watch = partial(self._see, source)

    async def end(self) -> None:
        """Let everything pass."""
        for source, relay in self._links.of("postgres").items():
            if source.startswith("worker"):
                relay.watch = None
        if self._connection is not None:
            with suppress(*ERRORS):
                await self._connection.close(timeout=1)

    async def _see(self, worker: str, data: bytes) -> None:
        async with self._lock:
            if self._left <= 0:
                return
            for row in await self._worked_on():
                job = str(row["job_id"])
                if row["job_id"].bytes in data or job.encode() in data:
                    self._workers[job], self._steps[job] = worker, 0
                if self._workers.get(job) == worker and row["status"] == self._status and self._job in (None, job):
                    await self._count(worker, job)

    async def _count(self, worker: str, job: str) -> None:
        self._steps[job] += 1
        if self._steps[job] != self._step:
            return
        self._left -= 1
        del self._workers[job]
        await self._kill(worker)
        board.note(self._parts.folder, self._id, process=worker, job=job, status=self._status, step=self._step)

    async def _worked_on(self) -> list[Any]:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._parts.postgres.connect("staging_db")
            return list(await self._connection.fetch(self._query))
        except ERRORS:
            return []
