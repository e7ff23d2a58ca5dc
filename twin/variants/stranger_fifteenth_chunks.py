"""Variants by somebody who has not read the checks, fifteenth time: chunks that are copied."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_fifteenth import WORKER
from twin.variants.stranger_twelfth import rewrite

STORE_CHUNKS = '''        async with self.queue.leases.holding(job) as connection:
            await connection.execute(f"CREATE TEMP TABLE fresh_chunks ({CHUNK_COLUMNS}) ON COMMIT DROP")
            await connection.copy_records_to_table("fresh_chunks", records=rows)
            await connection.execute(
                "DELETE FROM document_chunks WHERE document_id = $1 AND chunk_ord >= $2", job["document_id"], len(rows)
            )
            await connection.execute(
                """INSERT INTO document_chunks (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text,
                       chunk_sha) SELECT * FROM fresh_chunks
                   ON CONFLICT (document_id, chunker_name, chunker_version, chunk_ord) DO UPDATE SET
                       text = excluded.text, chunk_sha = excluded.chunk_sha, embedding = NULL, vector_dim = NULL,
                       embed_model = NULL, embed_version = NULL, updated_at = now()"""
            )
'''
STORE_VECTORS = '''    async def _store_vectors(self, connection: Any, batch: list[Any], vectors: list[list[float]]) -> None:
        await connection.execute("CREATE TEMP TABLE fresh_vectors (chunk_id uuid, embedding text) ON COMMIT DROP")
        records = [(row["chunk_id"], vector_literal(vector)) for row, vector in zip(batch, vectors, strict=True)]
        await connection.copy_records_to_table("fresh_vectors", records=records)
        await connection.execute(
            """UPDATE document_chunks c SET embedding = v.embedding::vector, vector_dim = vector_dims(v.embedding::vector),
                   embed_model = $1, embed_version = '1', updated_at = now()
               FROM fresh_vectors v WHERE c.chunk_id = v.chunk_id""",
            self.config.embedding_model,
        )

'''


@variant("M100", "chunks and vectors come by COPY and a temporary table, smaller chunks without overlap, random chunk ids")
def copied_chunks(plan: Plan) -> None:
    rewrite(
        plan,
        WORKER,
        "        async with self.queue.leases.holding(job) as connection:\n            await connection.execute"
        '("DELETE FROM document_chunks',
        "            await self.queue.advance_in(",
        STORE_CHUNKS,
    )
    rewrite(plan, WORKER, "    async def _store_vectors", "    async def finish", STORE_VECTORS)
    plan.replace_in_source(
        WORKER, "uuid5(NAMESPACE, f\"{job['document_id']}:{CHUNKER_NAME}:{CHUNKER_VERSION}:{number}\")", "uuid4()"
    )
    plan.replace_in_source(WORKER, "from uuid import UUID, uuid5", "from uuid import uuid4")
    plan.replace_in_source(
        WORKER,
        'NAMESPACE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")',
        'CHUNK_COLUMNS = """chunk_id uuid, document_id uuid, chunker_name text, chunker_version text, chunk_ord int,\n'
        '    text text, chunk_sha text"""',
    )
    chunking = "backend/workers/chunking.py"
    plan.replace_in_source(chunking, "TARGET_CHARACTERS = 600", "TARGET_CHARACTERS = 480")
    plan.replace_in_source(chunking, "OVERLAP_CHARACTERS = 120\n", "")
    rewrite(
        plan, chunking, "            tail = current[-1]", "        current.append(piece)", "            current, size = [], 0\n"
    )
    plan.replace_in_source(chunking, "passages that overlap slightly", "passages")
