"""A stranger's variants of the database: what follows by a trigger, what is kept, and what becomes visible when."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write
from twin.variants.stranger_ninth import BASE, of_document, own_table

QUEUE = "backend/workers/job_queue.py"
PARSING = "backend/shared/parsing.py"
RETRIEVAL = "api/retrieval.py"


@variant("M04", "a trigger has documents follow their jobs and writes down every change of a job; the services do neither")
def followed_by_trigger(plan: Plan) -> None:
    """Contract, Worker: `the document's processing_status follows`, by whatever means; field: extra tables (and triggers)."""
    columns = (
        "change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
        "job_id uuid NOT NULL REFERENCES upload_pipeline.upload_jobs ON DELETE CASCADE, document_id uuid NOT NULL, "
        "status text NOT NULL, state text NOT NULL, retry_count int NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp()"
    )
    own_table(plan, "job_changes", columns, of_document("job_changes"))
    plan.sql += [
        """CREATE FUNCTION upload_pipeline.follow_job() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
        BEGIN
            IF TG_OP = 'INSERT' OR NEW.status <> OLD.status THEN
                UPDATE upload_pipeline.documents SET processing_status = NEW.status, updated_at = now()
                WHERE document_id = NEW.document_id;
            END IF;
            IF TG_OP = 'INSERT' OR (NEW.status, NEW.state) IS DISTINCT FROM (OLD.status, OLD.state) THEN
                INSERT INTO upload_pipeline.job_changes (job_id, document_id, status, state, retry_count)
                VALUES (NEW.job_id, NEW.document_id, NEW.status, NEW.state, NEW.retry_count);
            END IF;
            RETURN NULL;
        END $$""",
        "CREATE TRIGGER follow_job AFTER INSERT OR UPDATE ON upload_pipeline.upload_jobs "
        "FOR EACH ROW EXECUTE FUNCTION upload_pipeline.follow_job()",
    ]
    plan.replace_in_source(
        QUEUE,
        "        await connection.execute(\n"
        '            "UPDATE documents SET processing_status = $2, updated_at = now() WHERE document_id = $1",\n'
        '            job["document_id"],\n            status,\n        )\n',
        "",
    )
    plan.replace_in_source(PARSING, "processing_status = 'parsed', ", "")
    plan.replace_in_source(
        PARSING,
        "    await connection.execute(\n"
        "        \"UPDATE documents SET processing_status = 'failed_parse', updated_at = now() WHERE document_id = $1\",\n"
        '        row["document_id"],\n    )\n',
        "",
    )


@variant("M05", "nothing is deleted: superseded chunks stay, marked as such, and are seen by nobody but the service role")
def superseded_chunks(plan: Plan) -> None:
    """Field: extra columns, policies; contract, Database: `a user sees only rows of their own documents`, not all of them."""
    plan.sql += [
        "ALTER TABLE upload_pipeline.document_chunks ADD COLUMN superseded_at timestamptz",
        "ALTER POLICY document_chunks_owner ON upload_pipeline.document_chunks USING (superseded_at IS NULL AND "
        + of_document("document_chunks")
        + ")",
    ]
    plan.replace_in_source(
        BASE,
        '"DELETE FROM document_chunks WHERE document_id = $1", job["document_id"]',
        '\n                "UPDATE document_chunks SET superseded_at = now() "'
        '\n                "WHERE document_id = $1 AND superseded_at IS NULL",\n'
        '                job["document_id"],\n            ',
    )
    plan.replace_in_source(
        BASE,
        'text, chunk_sha) VALUES ($1, $2, $3, $4, $5, $6, $7)"""',
        "text, chunk_sha) VALUES ($1, $2, $3, $4, $5, $6, $7)\n"
        "                   ON CONFLICT (document_id, chunker_name, chunker_version, chunk_ord) DO UPDATE SET\n"
        "                       text = excluded.text, chunk_sha = excluded.chunk_sha, embedding = NULL, vector_dim = NULL,\n"
        '                       superseded_at = NULL, updated_at = now()"""',
    )
    plan.replace_in_source(
        BASE,
        'WHERE document_id = $1 ORDER BY chunk_ord", job["document_id"]',
        'WHERE document_id = $1 AND superseded_at IS NULL "\n'
        '            "ORDER BY chunk_ord",\n            job["document_id"],',
    )
    plan.replace_in_source(
        BASE,
        '"SELECT count(*) FROM document_chunks WHERE document_id = $1 AND embedding IS NULL", job["document_id"]',
        '"SELECT count(*) FROM document_chunks WHERE document_id = $1 AND superseded_at IS NULL AND embedding IS NULL",\n'
        '            job["document_id"],',
    )
    plan.replace_in_source(RETRIEVAL, "c.embedding IS NOT NULL", "c.embedding IS NOT NULL AND c.superseded_at IS NULL")


@variant(
    "M06", "vectors are collected in a table of their own, and become a document's all at once, when the last batch is there"
)
def vectors_at_once(plan: Plan) -> None:
    """Contract, Worker: `Embeddings go out in batches of 256`, of when they are stored it says `embeddings_stored` only."""
    columns = (
        "chunk_id uuid PRIMARY KEY REFERENCES upload_pipeline.document_chunks ON DELETE CASCADE, document_id uuid NOT NULL, "
        "embedding vector(1536) NOT NULL, created_at timestamptz NOT NULL DEFAULT now()"
    )
    own_table(plan, "pending_vectors", columns, of_document("pending_vectors"))
    plan.sql.append("CREATE INDEX pending_vectors_document_idx ON upload_pipeline.pending_vectors (document_id)")
    plan.replace_in_source(
        BASE,
        'await self.queue.advance(job, "embeddings_stored", progress={**job["progress"], "embedded": len(rows)})',
        "async with self.queue.leases.holding(job) as connection:\n"
        '            await connection.execute(TAKE_OVER, job["document_id"], self.config.embedding_model)\n'
        '            await connection.execute("DELETE FROM pending_vectors WHERE document_id = $1", job["document_id"])\n'
        '            progress = {**job["progress"], "embedded": len(rows)}\n'
        '            await self.queue.advance_in(connection, job, "embeddings_stored", progress=progress)',
    )
    text = (plan.source / BASE).read_text()
    start = text.index('            """UPDATE document_chunks c SET embedding = v.embedding')
    end = text.index("    async def finish(")
    stored = (
        '            """INSERT INTO pending_vectors (chunk_id, document_id, embedding)\n'
        "               SELECT c.chunk_id, c.document_id, v.embedding::vector\n"
        "               FROM unnest($1::uuid[], $2::text[]) AS v(chunk_id, embedding) JOIN document_chunks c USING (chunk_id)\n"
        '               ON CONFLICT (chunk_id) DO UPDATE SET embedding = excluded.embedding, created_at = now()""",\n'
        '            [row["chunk_id"] for row in batch],\n'
        "            [vector_literal(vector) for vector in vectors],\n        )\n\n"
    )
    taken = (
        'TAKE_OVER = """UPDATE document_chunks c SET embedding = p.embedding, vector_dim = vector_dims(p.embedding),\n'
        "    embed_model = $2, embed_version = '1', updated_at = now()\n"
        '    FROM pending_vectors p WHERE p.chunk_id = c.chunk_id AND c.document_id = $1"""\n'
    )
    text = text[:start] + stored + text[end:]
    write(plan, BASE, text.replace("NAMESPACE = UUID(", taken + "NAMESPACE = UUID(", 1))
