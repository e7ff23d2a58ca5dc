"""The background worker: claims one job at a time and takes it through its next stage."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid5

from backend.shared.calls import CallError, Problem
from backend.shared.config import Config
from backend.shared.database import OUTAGES, open_pool, vector_literal
from backend.shared.embeddings import EmbeddingError, embed
from backend.shared.storage import Storage, StorageError, object_key
from backend.shared.vendors import Vendors
from backend.workers.chunking import CHUNKER_NAME, CHUNKER_VERSION, split
from backend.workers.job_queue import JobQueue, PermanentError
from backend.workers.lease import LeaseLost
from backend.workers.reconciliation import Reconciler

log = logging.getLogger("worker")
BATCH = 256
VENDOR_SECONDS = 60.0
# A job during which the worker ended so often is not tried once more.
MOST_CLAIMS = 3
# The circuits that a stage relies on: it is not begun while one of them is open.
NEEDS = {
    "chunks_stored": ["openai.embeddings"],
    "parse_validated": ["storage.read"],
    "parsed": ["storage.read"],
    "uploaded": ["storage.read", "llamaparse"],
}
NAMESPACE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


class UploadPending(RuntimeError):
    """The bytes have not arrived yet; not a failure before the signed URL expires."""


class EnhancedBaseWorker:
    """Polls the queue; see `run`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.poll_seconds = config.poll_interval / config.speedup
        self.pool: Any = None
        self.queue: Any = None
        self.reconciler: Any = None
        self.client = Vendors(config, VENDOR_SECONDS)
        self.storage = Storage(self.client)
        self.stages = {
            "embeddings_stored": self.finish,
            "chunks_stored": self.embed_chunks,
            "parse_validated": self.store_chunks,
            "parsed": self.validate,
            "uploaded": self.submit,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set: process all jobs that are due, then wait one poll interval."""
        self.pool = await open_pool(self.config, size=4)
        self.queue = JobQueue(self.config, self.pool)
        self.reconciler = Reconciler(self.config, self.pool, self.client, self.storage)
        log.info("worker started, polling every %s s", self.config.poll_interval)
        try:
            while not stop.is_set():
                has_worked = await self.work_once()
                await self.reconcile()
                if has_worked:
                    continue
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), timeout=self.poll_seconds)
        finally:
            await self.pool.close()
            await self.client.close()

    async def work_once(self) -> bool:
        """Claim and process one job; False when none is due."""
        try:
            job = await self.queue.claim(*self._served_stages())
        except Exception as error:
            log.error("the queue cannot be read: %s", type(error).__name__)
            return False
        if job is None:
            return False
        try:
            await self._process(job)
        except LeaseLost as error:
            log.warning("%s", error)
        except Exception as error:
            # Nothing is lost: the job is claimed again after its lease.
            log.error("a job's outcome cannot be written: %s job_id=%s", type(error).__name__, job["job_id"])
            return False
        return True

    async def reconcile(self) -> None:
        """Look after jobs whose callbacks are overdue."""
        try:
            await self.reconciler.run()
        except Exception as error:
            log.error("overdue callbacks cannot be looked up: %s", type(error).__name__)

    def _served_stages(self) -> tuple[list[str], list[str]]:
        """The stages whose services may be called, and those of them that are on trial."""
        circuits = {stage: [self.client.calls.circuit(name) for name in NEEDS.get(stage, [])] for stage in self.stages}
        served = [stage for stage, needed in circuits.items() if all(circuit.is_available for circuit in needed)]
        return served, [stage for stage in served if any(circuit.failures for circuit in circuits[stage])]

    async def _process(self, job: Any) -> None:
        try:
            async with self.queue.leases.kept(job):
                if job["claims"] > MOST_CLAIMS:
                    raise PermanentError(f"the worker ended {job['claims'] - 1} times while it worked on this job")
                await self.stages[job["status"]](job)
        except LeaseLost:
            raise
        except UploadPending:
            await self.queue.wait_for_upload(job)
        except Exception as error:
            await (self.queue.postpone if self._is_no_fault_of_the_job(error) else self.queue.fail)(job, error)

    def _is_no_fault_of_the_job(self, error: Exception) -> bool:
        """Whether the service would have failed any job: one that fails while others succeed is to blame itself."""
        if not isinstance(error, CallError):
            return isinstance(error, OUTAGES)
        if error.problem in (Problem.RATE_LIMITED, Problem.CIRCUIT_OPEN):
            return True
        return error.is_outage and self.client.calls.circuit(error.circuit).failures > 1

    async def submit(self, job: Any) -> None:
        """uploaded → parse_queued: send the PDF to LlamaParse, which calls back with a signature."""
        document = await self._document(job)
        body = await self._raw(job, document)
        if not body.startswith(b"%PDF-"):
            raise PermanentError("the file cannot be read: no %PDF- header")
        secret = secrets.token_hex(32)
        await self.queue.advance(job, "parse_queued", state="working", webhook_secret=secret, released=False)
        try:
            parse_job_id = await self._hand_over(job, document["filename"], body, secret)
        except CallError as error:
            if error.status in (400, 413, 415, 422):
                raise PermanentError(f"llamaparse refused the file: {error.status}") from error
            raise
        await self.queue.await_callback(job, parse_job_id, self.reconciler.callback_seconds)

    async def _hand_over(self, job: Any, filename: str, body: bytes, secret: str) -> str:
        """Send a document to LlamaParse; returns the id that it has there."""
        base = self.config.api_base_url.rstrip("/")
        async with self.client.calls.to("llamaparse"):
            accepted = await self.client.llamaparse.parsing.create(
                tier="cost_effective",
                version="latest",
                upload_file=(filename, body, "application/pdf"),
                webhook_configurations=[
                    {
                        "webhook_url": f"{base}/api/upload-pipeline/webhook/llamaparse/{job['job_id']}",
                        "webhook_signing_secret": secret,
                        "webhook_events": ["parse.success", "parse.error"],
                        "webhook_output_format": "json",
                    }
                ],
            )
            return str(accepted.id)

    async def validate(self, job: Any) -> None:
        """parsed → parse_validated: the stored text must exist and must not be empty."""
        text = await self._parsed_text(job)
        if not text.strip():
            raise PermanentError("the parsed text is empty")
        await self.queue.advance(job, "parse_validated")

    async def store_chunks(self, job: Any) -> None:
        """parse_validated → chunks_stored."""
        chunks = split(await self._parsed_text(job))
        rows = [
            (
                uuid5(NAMESPACE, f"{job['document_id']}:{CHUNKER_NAME}:{CHUNKER_VERSION}:{number}"),
                job["document_id"],
                CHUNKER_NAME,
                CHUNKER_VERSION,
                number,
                text,
                hashlib.sha256(text.encode()).hexdigest(),
            )
            for number, text in enumerate(chunks)
        ]
        async with self.queue.leases.holding(job) as connection:
            await connection.execute("DELETE FROM document_chunks WHERE document_id = $1", job["document_id"])
            await connection.executemany(
                """INSERT INTO document_chunks (chunk_id, document_id, chunker_name, chunker_version, chunk_ord,
                       text, chunk_sha) VALUES ($1, $2, $3, $4, $5, $6, $7)""",
                rows,
            )
            await self.queue.advance_in(connection, job, "chunks_stored", progress={"chunks": len(rows)})

    async def embed_chunks(self, job: Any) -> None:
        """chunks_stored → embeddings_stored, in batches."""
        rows = await self.pool.fetch(
            "SELECT chunk_id, text FROM document_chunks WHERE document_id = $1 ORDER BY chunk_ord", job["document_id"]
        )
        if not rows:
            raise PermanentError("no chunks to embed")
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            vectors = await embed(self.client, self.config, [row["text"] for row in batch])
            if len(vectors) != len(batch):
                raise EmbeddingError(f"{len(vectors)} embeddings for {len(batch)} chunks")
            async with self.queue.leases.holding(job) as connection:
                await self._store_vectors(connection, batch, vectors)
        await self.queue.advance(job, "embeddings_stored", progress={**job["progress"], "embedded": len(rows)})

    async def _store_vectors(self, connection: Any, batch: list[Any], vectors: list[list[float]]) -> None:
        await connection.execute(
            """UPDATE document_chunks c SET embedding = v.embedding::vector, vector_dim = v.dim, embed_model = $4,
                   embed_version = '1', updated_at = now()
               FROM unnest($1::uuid[], $2::text[], $3::int[]) AS v(chunk_id, embedding, dim)
               WHERE c.chunk_id = v.chunk_id""",
            [row["chunk_id"] for row in batch],
            [vector_literal(vector) for vector in vectors],
            [len(vector) for vector in vectors],
            self.config.embedding_model,
        )

    async def finish(self, job: Any) -> None:
        """embeddings_stored → complete; every chunk must have its vector."""
        missing = await self.pool.fetchval(
            "SELECT count(*) FROM document_chunks WHERE document_id = $1 AND embedding IS NULL", job["document_id"]
        )
        if missing:
            raise RuntimeError(f"{missing} chunks without an embedding")
        await self.queue.advance(job, "complete", state="done")

    async def _document(self, job: Any) -> Any:
        return await self.pool.fetchrow(
            "SELECT user_id, filename, raw_path, parsed_path FROM documents WHERE document_id = $1",
            job["document_id"],
        )

    async def _raw(self, job: Any, document: Any) -> bytes:
        try:
            return await self.storage.read(object_key(document["user_id"], job["document_id"], "raw"))
        except StorageError as error:
            if error.status == 404 and not job["upload_expired"]:
                raise UploadPending from error
            raise

    async def _parsed_text(self, job: Any) -> str:
        document = await self._document(job)
        key = object_key(document["user_id"], job["document_id"], "parsed")
        return (await self.storage.read(key)).decode()
