"""The stages from a text to a document that can be found."""

from __future__ import annotations

import asyncio
import hashlib
import time

from backend.workers import journal, passages
from backend.workers.depot import Depot, text_path
from backend.workers.embedder import BATCH, Embedder
from backend.workers.ledger import Job, Ledger
from backend.workers.settings import Settings
from backend.workers.splitter import split
from backend.workers.troubles import Hopeless, Trouble

# Vectors that are stored in one transaction: while it lasts, nobody else can touch the job.
AT_ONCE = 64
# Stages that earlier releases may have left jobs in, by the one that they continue from.
SAME_AS = {"chunking": "parse_validated", "embedding_queued": "chunks_stored", "embedding_in_progress": "chunks_stored"}


class Text:
    """Takes a job through all of them under one claim; each is recorded as it is reached."""

    def __init__(self, ledger: Ledger, depot: Depot, embedder: Embedder, settings: Settings) -> None:
        self._ledger, self._depot, self._embedder, self._settings = ledger, depot, embedder, settings
        self._steps = {
            "parsed": self._validate,
            "parse_validated": self._cut,
            "chunks_stored": self._embed,
            "embeddings_stored": self._complete,
        }

    async def __call__(self, job: Job) -> None:
        """`parsed` to `complete`, from the stage that the job is in."""
        while job.status != "complete":
            came_from, started = job.status, time.monotonic()
            job.status = await self._steps[SAME_AS.get(came_from, came_from)](job)
            # What this try got done, the next one need not do again.
            job.claims = 1
            if job.status == "chunks_stored":
                job.retry_count = 0
            took = round(time.monotonic() - started, 3)
            journal.note("info", "stage done", job_id=job.job_id, was=came_from, status=job.status, seconds=took)

    async def _text(self, job: Job) -> str:
        """The document's text, as it was stored; raises Trouble."""
        body = await self._depot.fetch(job.parsed_path or text_path(job.user_id, job.document_id))
        if job.parsed_sha256 and hashlib.sha256(body).hexdigest() != job.parsed_sha256:
            raise Trouble("storage read", "sent something that is not the document's text")
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise Hopeless("the document's text is not UTF-8") from None

    async def _validate(self, job: Job) -> str:
        text = await self._text(job)
        if not text.replace("\x00", "").strip():
            raise Hopeless("the document contains no text")
        async with self._ledger.holding(job) as connection:
            await self._ledger.enter(connection, job, "parse_validated", characters=len(text))
        return "parse_validated"

    async def _cut(self, job: Job) -> str:
        texts = await asyncio.to_thread(split, await self._text(job))
        if not texts:
            raise Hopeless("there is nothing to cut the document into")
        async with self._ledger.holding(job) as connection:
            await passages.store(connection, job, texts)
            await self._ledger.enter(connection, job, "chunks_stored", chunks=len(texts))
        return "chunks_stored"

    async def _embed(self, job: Job) -> str:
        pool, last = await self._ledger.pool(), -1
        while batch := await passages.lacking(pool, job, self._settings, last, BATCH):
            last = batch[-1]["chunk_ord"]
            vectors = await self._embedder.embed([row["text"] for row in batch])
            ids = [row["chunk_id"] for row in batch]
            for start in range(0, len(ids), AT_ONCE):
                part = slice(start, start + AT_ONCE)
                async with self._ledger.holding(job) as connection:
                    await passages.fill(connection, job, self._settings, ids[part], vectors[part])
                    await self._ledger.extend(connection, job)
        async with self._ledger.holding(job) as connection:
            count, lacking = await passages.counted(connection, job, self._settings)
            self._require(count, lacking)
            await self._ledger.enter(connection, job, "embeddings_stored", embedded=count)
        return "embeddings_stored"

    async def _complete(self, job: Job) -> str:
        async with self._ledger.holding(job, settles=True) as connection:
            self._require(*await passages.counted(connection, job, self._settings))
            await self._ledger.enter(connection, job, "complete", leaves=True)
        return "complete"

    @staticmethod
    def _require(count: int, lacking: int) -> None:
        if not count or lacking:
            raise Hopeless(f"{lacking} of {count} passages have no vector")
