"""The worker: three lanes that take jobs from the queue, so that a slow vendor holds up only what needs it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from backend.workers import journal
from backend.workers.depot import Depot
from backend.workers.embedder import Embedder
from backend.workers.intake import Inquiry, Intake
from backend.workers.ledger import OUTAGES, Job, Ledger
from backend.workers.line import Line
from backend.workers.outcomes import Outcomes
from backend.workers.parser import Parser
from backend.workers.settings import Settings
from backend.workers.text import SAME_AS, Text
from backend.workers.troubles import Hopeless, NotThereYet, Resting, Superseded, Trouble

# The host waits longer than both together before it kills.
GRACE_SECONDS = 1.0
HAND_BACK_SECONDS = 1.5
RENEWALS_PER_LEASE = 3


@dataclass(frozen=True)
class Lane:
    """The stages whose jobs are worked on one after the other, and what is done with one."""

    name: str
    statuses: tuple[str, ...]
    work: Callable[[Job], Awaitable[None]]


class EnhancedBaseWorker:
    """One worker process. Any number of them may share a queue."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = asyncio.Event()
        self._ledger = Ledger(settings)
        self._line = Line(settings)
        self._outcomes = Outcomes(self._ledger, settings)
        # Claims that could not be given up, because the database did not serve.
        self._kept: list[Job] = []

    def _lanes(self) -> list[Lane]:
        settings, ledger, line = self._settings, self._ledger, self._line
        depot, parser = Depot(line, settings), Parser(line, settings)
        text = Text(ledger, depot, Embedder(line, settings), settings)
        return [
            Lane("intake", ("uploaded",), Intake(ledger, depot, parser, settings)),
            Lane("inquiry", ("parse_queued",), Inquiry(ledger, depot, parser, self._outcomes, settings)),
            Lane("text", ("parsed", "parse_validated", "chunks_stored", "embeddings_stored", *SAME_AS), text),
        ]

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT; what is in work then is finished within a moment or handed back."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        settings = self._settings
        facts = {"version": settings.version, "commit": settings.commit, "poll_seconds": settings.poll_seconds}
        journal.note("info", "worker started", **facts)
        lanes = [asyncio.create_task(self._serve(lane), name=lane.name) for lane in self._lanes()]
        await self._stop.wait()
        _, late = await asyncio.wait(lanes, timeout=GRACE_SECONDS)
        for lane in late:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
        await self._line.close()
        await self._ledger.close()
        journal.note("info", "worker stopped")

    async def _serve(self, lane: Lane) -> None:
        while not self._stop.is_set():
            try:
                await self._give_up_kept()
                job = await self._ledger.claim(lane.statuses)
            except OUTAGES as error:
                journal.note("error", "the database does not serve", lane=lane.name, error=_named(error))
                job = None
            except Exception as error:
                journal.note("error", "the queue cannot be read", lane=lane.name, error=_named(error))
                job = None
            if job is None or not await self._take(lane, job):
                await self._sleep()

    async def _sleep(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), self._settings.poll_seconds)

    async def _give_up_kept(self) -> None:
        while self._kept:
            job = self._kept.pop()
            try:
                with suppress(Superseded):
                    await self._outcomes.handed_back(job)
            except OUTAGES:
                self._kept.append(job)
                raise

    async def _take(self, lane: Lane, job: Job) -> bool:
        """Work on one job; whether its outcome could be recorded."""
        journal.note("debug", "claimed", job_id=job.job_id, status=job.status, lane=lane.name)
        try:
            await self._worked_on(lane, job)
        except Superseded:
            journal.note("info", "somebody else has the job, or it is gone", job_id=job.job_id, status=job.status)
        except asyncio.CancelledError:
            with suppress(*OUTAGES, Superseded):
                await asyncio.wait_for(self._outcomes.handed_back(job), HAND_BACK_SECONDS)
            raise
        except OUTAGES as error:
            self._kept.append(job)
            journal.note("error", "the database does not serve", job_id=job.job_id, error=_named(error))
            return False
        except Exception as error:
            # The job stays as it is until the lease ends; the next holder may be luckier.
            journal.note("error", "the outcome cannot be recorded", job_id=job.job_id, error=_named(error))
            return False
        return True

    async def _worked_on(self, lane: Lane, job: Job) -> None:
        """Work on a job while its lease is renewed, and record where it does not get on."""
        work = asyncio.ensure_future(self._judged(lane, job))
        renewing = asyncio.create_task(self._renew(job, work))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            if not work.done():
                work.cancel()
                await asyncio.wait([work])
                raise
            raise Superseded from None
        finally:
            renewing.cancel()

    async def _renew(self, job: Job, work: asyncio.Future[None]) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_seconds / RENEWALS_PER_LEASE)
            try:
                if not await self._ledger.renew(job) and not job.is_settled:
                    work.cancel()
                    return
            except OUTAGES as error:
                journal.note("warning", "the lease is not renewed", job_id=job.job_id, error=_named(error))

    async def _judged(self, lane: Lane, job: Job) -> None:
        outcomes = self._outcomes
        try:
            if job.claims > self._settings.retries + 1:
                raise Hopeless(f"the worker ended {job.claims - 1} times in a row while it worked on the document")
            await lane.work(job)
        except NotThereYet:
            await outcomes.waits(job, self._settings.backoff_seconds)
        except Resting as trouble:
            await outcomes.refused_rest(job, trouble)
        except Trouble as trouble:
            await outcomes.tried(job, str(trouble), trouble.wish)
        except Hopeless as verdict:
            await outcomes.failed(job, str(verdict))
        except (Superseded, *OUTAGES):
            raise
        except Exception as error:
            await outcomes.tried(job, f"unexpected: {_named(error)}")


def _named(error: BaseException) -> str:
    """An error by its kind alone, as its text may quote what nobody should read."""
    code, constraint = getattr(error, "sqlstate", None), getattr(error, "constraint_name", None)
    return " ".join(filter(None, (type(error).__name__, code, constraint)))
