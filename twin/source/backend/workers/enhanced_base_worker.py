"""The background worker: claims one job at a time and moves it one stage on."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid5

import httpx

from backend.shared.config import Config
from backend.shared.database import open_pool, vector_literal
from backend.shared.embeddings import EmbeddingError, embed
from backend.shared.storage import Storage, StorageError, object_key
from backend.workers.chunking import CHUNKER_NAME, CHUNKER_VERSION, split

log = logging.getLogger("worker")
BATCH = 256
UPLOAD_WINDOW_SECONDS = 300
NAMESPACE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
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
    """Trying again cannot help."""


class UploadPending(RuntimeError):
    """The bytes have not arrived yet; not a failure before the signed URL expires."""


class EnhancedBaseWorker:
    """Polls the queue; see `run`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.poll_seconds = config.poll_interval / config.speedup
        self.retry_seconds = config.retry_base_delay / config.speedup
        self.pool: Any = None
        self.client = httpx.AsyncClient(timeout=httpx.Timeout(60, connect=5))
        self.storage = Storage(config, self.client)
        self.stages = {
            "embeddings_stored": self.finish,
            "chunks_stored": self.embed_chunks,
            "parse_validated": self.store_chunks,
            "parsed": self.validate,
            "uploaded": self.submit,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop: drain what is due, then wait one poll interval."""
        self.pool = await open_pool(self.config, size=4)
        log.info("worker started, polling every %s s", self.config.poll_interval)
        try:
            while not stop.is_set():
                if await self.work_once():
                    continue
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), timeout=self.poll_seconds)
        finally:
            await self.pool.close()
            await self.client.aclose()

    async def work_once(self) -> bool:
        """Claim and process one job; False when none is due."""
        try:
            job = await self.claim()
        except Exception as error:
            log.error("queue not readable: %s", type(error).__name__)
            return False
        if job is None:
            return False
        try:
            await self.stages[job["status"]](job)
        except UploadPending:
            await self._wait_for_upload(job)
        except Exception as error:
            await self._failed(job, error)
        return True

    async def claim(self) -> Any:
        """The oldest job that is due, later stages first; other workers skip it."""
        stages = list(self.stages)
        return await self.pool.fetchrow(
            CLAIM, self.poll_seconds, self.retry_seconds, stages, stages, UPLOAD_WINDOW_SECONDS / self.config.speedup
        )

    async def submit(self, job: Any) -> None:
        """uploaded → parse_queued: hand the PDF to LlamaParse with a signed callback."""
        document = await self._document(job)
        body = await self._raw(job, document)
        if not body.startswith(b"%PDF-"):
            raise PermanentError("the file cannot be read: no %PDF- header")
        secret = secrets.token_hex(32)
        await self._advance(job, "parse_queued", state="working", webhook_secret=secret)
        base = self.config.api_base_url.rstrip("/")
        reply = await self.client.post(
            f"{self.config.llamaparse_url}/api/parsing/upload",
            headers={"Authorization": f"Bearer {self.config.llamaparse_key}"},
            data={
                "result_type": "markdown",
                "webhook_url": f"{base}/api/upload-pipeline/webhook/llamaparse/{job['job_id']}",
                "webhook_secret": secret,
            },
            files={"file": (document["filename"], body, "application/pdf")},
        )
        if reply.status_code in (400, 415, 422):
            raise PermanentError(f"llamaparse refused the file: {reply.status_code}")
        if reply.status_code not in (200, 201):
            raise RuntimeError(f"llamaparse answered {reply.status_code}")

    async def validate(self, job: Any) -> None:
        """parsed → parse_validated: the stored text must be there and say something."""
        text = await self._parsed_text(job)
        if not text.strip():
            raise PermanentError("the parsed text is empty")
        await self._advance(job, "parse_validated")

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
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("DELETE FROM document_chunks WHERE document_id = $1", job["document_id"])
            await connection.executemany(
                """INSERT INTO document_chunks (chunk_id, document_id, chunker_name, chunker_version, chunk_ord,
                       text, chunk_sha) VALUES ($1, $2, $3, $4, $5, $6, $7)""",
                rows,
            )
        await self._advance(job, "chunks_stored", progress={"chunks": len(rows)})

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
            await self._store_vectors(batch, vectors)
        await self._advance(job, "embeddings_stored", progress={**job["progress"], "embedded": len(rows)})

    async def _store_vectors(self, batch: list[Any], vectors: list[list[float]]) -> None:
        await self.pool.execute(
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
        """embeddings_stored → complete; nothing may lack its vector."""
        missing = await self.pool.fetchval(
            "SELECT count(*) FROM document_chunks WHERE document_id = $1 AND embedding IS NULL", job["document_id"]
        )
        if missing:
            raise RuntimeError(f"{missing} chunks without an embedding")
        await self._advance(job, "complete", state="done")

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

    async def _advance(
        self,
        job: Any,
        status: str,
        state: str = "queued",
        webhook_secret: str | None = None,
        progress: dict[str, Any] | None = None,
    ) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
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

    async def _wait_for_upload(self, job: Any) -> None:
        await self.pool.execute(
            """UPDATE upload_jobs SET state = 'retryable', progress = progress || '{"awaiting_upload": true}',
                   updated_at = now() WHERE job_id = $1""",
            job["job_id"],
        )

    async def _failed(self, job: Any, error: Exception) -> None:
        tries = job["retry_count"] + 1
        final = isinstance(error, PermanentError) or tries > self.config.max_retries
        reason = {"stage": job["status"], "reason": str(error)[:500] or type(error).__name__, "tries": tries}
        status = FAILED[job["status"]] if final else job["status"]
        log.warning(json.dumps({"job_id": str(job["job_id"]), "final": final, **reason}))
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                """UPDATE upload_jobs SET status = $2, state = $3, retry_count = $4, last_error = $5,
                       progress = progress - 'awaiting_upload', updated_at = now() WHERE job_id = $1""",
                job["job_id"],
                status,
                "deadletter" if final else "retryable",
                tries,
                reason,
            )
            if final:
                await self._record(connection, job, status, reason)
