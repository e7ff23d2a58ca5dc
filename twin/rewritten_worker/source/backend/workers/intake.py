"""The stages before there is a text: documents are handed in, and asked after when nobody calls back."""

from __future__ import annotations

import hashlib

from backend.workers import journal
from backend.workers.depot import Depot, text_path
from backend.workers.ledger import Job, Ledger
from backend.workers.outcomes import Outcomes
from backend.workers.parser import Parser, Verdict
from backend.workers.settings import Settings
from backend.workers.troubles import Hopeless, NotThereYet, Trouble

# Anywhere among the first bytes, as readers of PDF have it.
MAGIC, HEAD = b"%PDF-", 1024
NOT_THERE = 404
# A long document takes long, and that it is not ready is no failure.
MOST_QUESTIONS = 18


class Intake:
    """Hands documents in."""

    def __init__(self, ledger: Ledger, depot: Depot, parser: Parser, settings: Settings) -> None:
        self._ledger, self._depot, self._parser, self._settings = ledger, depot, parser, settings

    async def __call__(self, job: Job) -> None:
        """`uploaded` to `parse_queued`; the job is parked until the callback, or until that is overdue."""
        document = await self._document(job)
        parse_id = await self._parser.submit(job.job_id, document, job.webhook_secret)
        async with self._ledger.holding(job, settles=True) as connection:
            # A callback that was quicker than this line was told that nobody waited for it; its result is asked for.
            is_early = await connection.fetchval(
                "SELECT EXISTS (SELECT 1 FROM webhook_log WHERE job_id = $1 AND received_at >= $2)", job.job_id, job.claimed_at
            )
            await self._ledger.enter(connection, job, "parse_queued", leaves=True, asked=0)
            await connection.execute(
                """UPDATE upload_jobs SET parse_job_id = $2, not_before = now() + make_interval(secs => $3)
                   WHERE job_id = $1""",
                job.job_id,
                parse_id,
                0.0 if is_early else self._settings.callback_window,
            )
        journal.note("info", "handed in", job_id=job.job_id, bytes=len(document), parse_job_id=parse_id)

    async def _document(self, job: Job) -> bytes:
        try:
            document = await self._depot.fetch(job.raw_path)
        except Trouble as trouble:
            if trouble.status == NOT_THERE and job.age < self._settings.upload_window:
                raise NotThereYet from trouble
            raise
        if MAGIC not in document[:HEAD] and hashlib.sha256(document).hexdigest() != job.file_sha256:
            # Neither a PDF nor what was announced: what storage sent may not be the file.
            raise Trouble("storage read", "sent something that is not the document")
        return document


class Inquiry:
    """Asks after documents whose callback is overdue, or said something that needs to be confirmed."""

    def __init__(self, ledger: Ledger, depot: Depot, parser: Parser, outcomes: Outcomes, settings: Settings) -> None:
        self._ledger, self._depot, self._parser, self._outcomes = ledger, depot, parser, outcomes
        self._settings = settings

    async def __call__(self, job: Job) -> None:
        """`parse_queued` to `parsed`, or back to wait, or to be handed in again where the vendor has lost it."""
        if job.parse_job_id is None or (verdict := await self._verdict(job.parse_job_id)) is None:
            await self._begin_again(job)
            return
        if verdict.reason:
            raise Hopeless(f"the document cannot be parsed: {verdict.reason}")
        if verdict.is_ready:
            await self._conclude(job, await self._parser.text(job.parse_job_id))
        elif job.asked >= MOST_QUESTIONS:
            raise Hopeless("LlamaParse does not come to an end with the document")
        else:
            await self._outcomes.waits(job, self._settings.callback_window, asked=job.asked + 1)

    async def _verdict(self, parse_id: str) -> Verdict | None:
        """What the vendor says; None where it does not know the document."""
        try:
            return await self._parser.verdict(parse_id)
        except Trouble as trouble:
            if trouble.status == NOT_THERE:
                return None
            raise

    async def _conclude(self, job: Job, text: str) -> None:
        if not text.strip():
            raise Hopeless("the document contains no text")
        path = text_path(job.user_id, job.document_id)
        await self._depot.put_text(path, text)
        async with self._ledger.holding(job, settles=True) as connection:
            await connection.execute(
                "UPDATE documents SET parsed_path = $2, parsed_sha256 = $3 WHERE document_id = $1",
                job.document_id,
                path,
                hashlib.sha256(text.encode()).hexdigest(),
            )
            await self._ledger.enter(connection, job, "parsed", leaves=True, characters=len(text))
        journal.note("info", "parsed, as the vendor says when it is asked", job_id=job.job_id, characters=len(text))

    async def _begin_again(self, job: Job) -> None:
        """The vendor does not know the document: hand it in again, which is a further try."""
        if job.retry_count >= self._settings.retries:
            raise Hopeless("LlamaParse has lost the document several times")
        async with self._ledger.holding(job, settles=True) as connection:
            await connection.execute(
                """UPDATE upload_jobs SET status = 'uploaded', state = 'queued', parse_job_id = NULL, claim_id = NULL,
                       lease_until = NULL, claims = 0, not_before = NULL, retry_count = retry_count + 1, updated_at = now()
                   WHERE job_id = $1""",
                job.job_id,
            )
            await self._ledger.mark(connection, job, "uploaded")
        journal.note("warning", "LlamaParse does not know the document; it is handed in again", job_id=job.job_id)
