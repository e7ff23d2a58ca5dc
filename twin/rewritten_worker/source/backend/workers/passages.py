"""Passages and their vectors in the database."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID, uuid5

from backend.workers.ledger import Job
from backend.workers.settings import Settings

# A long document in an index of many takes its time.
WRITE_SECONDS = 120.0
# The same passage keeps its vector; one whose text is another loses it.
STORE = """
INSERT INTO document_chunks AS c (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text, chunk_sha)
SELECT id, $1, $2, $3, ord, text, sha FROM unnest($4::uuid[], $5::int[], $6::text[], $7::text[]) AS given (id, ord, text, sha)
ON CONFLICT (document_id, chunker_name, chunker_version, chunk_ord) DO UPDATE
SET text = excluded.text, chunk_sha = excluded.chunk_sha, updated_at = now(),
    embedding = CASE WHEN c.chunk_sha = excluded.chunk_sha THEN c.embedding END,
    vector_dim = CASE WHEN c.chunk_sha = excluded.chunk_sha THEN c.vector_dim END,
    embed_model = CASE WHEN c.chunk_sha = excluded.chunk_sha THEN c.embed_model END,
    embed_version = CASE WHEN c.chunk_sha = excluded.chunk_sha THEN c.embed_version END"""
OWN = "document_id = $1 AND chunker_name = $2 AND chunker_version = $3"
LACKING = """(embedding IS NULL OR embed_model IS DISTINCT FROM $4 OR embed_version IS DISTINCT FROM $5
    OR vector_norm(embedding) = 0)"""
FILL = """
UPDATE document_chunks c
SET embedding = given.vector::vector, embed_model = $3, embed_version = $4, vector_dim = $5, updated_at = now()
FROM unnest($1::uuid[], $2::text[]) AS given (id, vector) WHERE c.chunk_id = given.id"""


def chunker_of(job: Job) -> tuple[str, str]:
    """Name and version of what cuts the job's document."""
    name, _, version = job.chunks_version.partition("@")
    return name, version or "1"


async def store(connection: Any, job: Job, texts: list[str]) -> None:
    """Have the document consist of these passages."""
    name, version = chunker_of(job)
    ids: list[UUID] = [uuid5(job.document_id, f"{name}@{version}/{place}") for place in range(len(texts))]
    shas = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    places = list(range(len(texts)))
    await connection.execute(STORE, job.document_id, name, version, ids, places, texts, shas, timeout=WRITE_SECONDS)
    await connection.execute(
        f"DELETE FROM document_chunks WHERE {OWN} AND chunk_ord >= $4", job.document_id, name, version, len(texts)
    )


async def lacking(source: Any, job: Job, settings: Settings, after: int, most: int) -> list[Any]:
    """The next passages that have no vector of the model in use: `chunk_id`, `chunk_ord` and `text`."""
    found: list[Any] = await source.fetch(
        f"""SELECT chunk_id, chunk_ord, text FROM document_chunks WHERE {OWN} AND {LACKING} AND chunk_ord > $6
            ORDER BY chunk_ord LIMIT $7""",
        *(job.document_id, *chunker_of(job), settings.model, job.embed_version, after, most),
    )
    return found


async def counted(source: Any, job: Job, settings: Settings) -> tuple[int, int]:
    """How many passages the document has, and how many of them lack a vector."""
    row = await source.fetchrow(
        f"SELECT count(*) AS all, count(*) FILTER (WHERE {LACKING}) AS lacking FROM document_chunks WHERE {OWN}",
        *(job.document_id, *chunker_of(job), settings.model, job.embed_version),
    )
    return row["all"], row["lacking"]


async def fill(connection: Any, job: Job, settings: Settings, ids: list[UUID], vectors: list[str]) -> None:
    """Store vectors of passages."""
    await connection.execute(FILL, ids, vectors, settings.model, job.embed_version, settings.dimension, timeout=WRITE_SECONDS)
