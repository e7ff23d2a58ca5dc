"""Variants by somebody who knows the contract only: the database does its part in another way."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_twelfth import rewrite

MIGRATIONS = "supabase/migrations"
FIRST = f"{MIGRATIONS}/20250101000000_upload_pipeline.sql"
JOBS = "api/jobs.py"
RETRIEVAL = "api/retrieval.py"


MATCH = """
CREATE FUNCTION upload_pipeline.match_chunks(
    question vector, owner uuid, threshold double precision, most int, budget int)
RETURNS TABLE (chunk_id uuid, document_id uuid, filename text, text text, similarity double precision)
LANGUAGE sql STABLE SET search_path = upload_pipeline, public AS $$
    -- One user has few chunks: comparing all of them is exact, and other users' rows are never looked at.
    WITH own AS MATERIALIZED (
        SELECT c.chunk_id, c.document_id, d.filename, c.text, c.embedding <=> question AS distance
        FROM documents d JOIN document_chunks c ON c.document_id = d.document_id
        WHERE d.user_id = owner AND c.embedding IS NOT NULL
    ), best AS (
        SELECT own.* FROM own WHERE 1 - own.distance > threshold ORDER BY own.distance, own.chunk_id LIMIT most
    ), counted AS (
        SELECT best.*, sum(length(best.text) / 4 + 1) OVER (ORDER BY best.distance, best.chunk_id) AS tokens FROM best
    )
    SELECT n.chunk_id, n.document_id, n.filename, n.text, 1 - n.distance FROM counted n
    WHERE n.tokens <= budget ORDER BY n.distance, n.chunk_id
$$;
REVOKE ALL ON FUNCTION upload_pipeline.match_chunks(vector, uuid, double precision, int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.match_chunks(vector, uuid, double precision, int, int) TO service_role;
"""
MATCHED = '''async def retrieve(pool: Any, client: Vendors, config: Config, user_id: UUID, question: str) -> list[Passage]:
    """Passages of this user's documents above the threshold, best first; raises CallError and EmbeddingError."""
    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])
    rows = await pool.fetch(
        "SELECT chunk_id, document_id, filename, text, similarity FROM match_chunks($1::vector, $2, $3, $4, $5)",
        vector,
        user_id,
        config.similarity_threshold,
        config.max_chunks,
        config.token_budget,
    )
    return [Passage(**dict(row.items())) for row in rows]
'''


@variant("M48", "a function of the database retrieves: exactly, within both limits, and from the caller's rows alone")
def matched(plan: Plan) -> None:
    (plan.source / f"{MIGRATIONS}/20250108000000_match_chunks.sql").write_text(MATCH)
    rewrite(plan, RETRIEVAL, "def within_budget(", "", MATCHED)


IMPORTS = """import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
"""
AS_USER = '''

@asynccontextmanager
async def reading_as(pool: asyncpg.Pool, user_id: UUID) -> AsyncIterator[asyncpg.Connection]:
    """A transaction that reads what this user may read: the policies of the tables apply to it."""
    claims = json.dumps({"sub": str(user_id), "role": "authenticated", "aud": "authenticated"})
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute(
            "SELECT set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)", claims
        )
        yield connection


def vector_literal('''


@variant("M49", "the API reads jobs, documents and chunks as the user who asks, so that row-level security guards them too")
def as_the_user(plan: Plan) -> None:
    path = "backend/shared/database.py"
    plan.replace_in_source(path, "\n\ndef vector_literal(", AS_USER)
    plan.replace_in_source(path, "import json\n", IMPORTS)
    shared = "from backend.shared.database import reading_as\n"
    plan.replace_in_source(JOBS, "from backend.shared.parsing", f"{shared}from backend.shared.parsing")
    for name in ("fetchrow", "fetch"):
        begin = f"    {'row' if name == 'fetchrow' else 'rows'} = await request.app.state.pool.{name}("
        source = (plan.source / JOBS).read_text()
        # Every read is one statement, up to the bracket that ends it.
        while begin in source:
            place = source.index(begin)
            end = source.index("\n    )\n", place) + len("\n    )\n")
            inner = source[place:end].replace("request.app.state.pool.", "connection.").replace("\n    ", "\n        ")
            block = f"    async with reading_as(request.app.state.pool, user.id) as connection:\n    {inner.rstrip()}\n"
            source = source[:place] + block + source[end:]
        (plan.source / JOBS).write_text(source)
    plan.replace_in_source(RETRIEVAL, "import vector_literal", "import reading_as, vector_literal")
    own = "pool.acquire() as connection, connection.transaction():"
    plan.replace_in_source(RETRIEVAL, own, "reading_as(pool, user_id) as connection:")


PARTITIONED = """CREATE TABLE upload_pipeline.events (
    event_id uuid NOT NULL DEFAULT gen_random_uuid(),
    job_id uuid REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
    document_id uuid,
    type text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (created_at, event_id)
) PARTITION BY RANGE (created_at);
CREATE INDEX events_of_job ON upload_pipeline.events (job_id, created_at);

CREATE TABLE upload_pipeline.webhook_log (
    log_id uuid NOT NULL DEFAULT gen_random_uuid(),
    job_id uuid REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
    provider text NOT NULL,
    accepted boolean NOT NULL,
    payload_sha256 text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (received_at, log_id)
) PARTITION BY RANGE (received_at);
CREATE INDEX webhook_log_of_job ON upload_pipeline.webhook_log (job_id);

DO $$
DECLARE
    parent text;
    part text;
    first date;
BEGIN
    FOREACH parent IN ARRAY ARRAY['events', 'webhook_log'] LOOP
        FOR month IN -1..6 LOOP
            first := date_trunc('month', now()) + make_interval(months => month);
            part := format('%s_%s', parent, to_char(first, 'YYYY_MM'));
            EXECUTE format('CREATE TABLE upload_pipeline.%I PARTITION OF upload_pipeline.%I FOR VALUES FROM (%L) TO (%L)',
                part, parent, first, first + interval '1 month');
        END LOOP;
        EXECUTE format('CREATE TABLE upload_pipeline.%I PARTITION OF upload_pipeline.%I DEFAULT', parent || '_other', parent);
    END LOOP;
    FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class c ON c.oid = inhparent
        WHERE c.relname IN ('events', 'webhook_log') LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', part);
        EXECUTE format('CREATE POLICY service_part ON %s TO service_role USING (true) WITH CHECK (true)', part);
    END LOOP;
END $$;
"""
APPROXIMATE = """CREATE INDEX chunks_by_cosine ON upload_pipeline.document_chunks
    USING ivfflat (embedding vector_cosine_ops) WITH (lists = 8) WHERE embedding IS NOT NULL;
"""


@variant("M57", "events and the log of webhooks are kept by month in partitions with row-level security; lists as vector index")
def by_month(plan: Plan) -> None:
    rewrite(plan, FIRST, "CREATE TABLE upload_pipeline.events (", "", PARTITIONED)
    (plan.source / f"{MIGRATIONS}/20250102000000_vector_index.sql").write_text(APPROXIMATE)
    # Every list is looked through: the answer is exact.
    settings = "SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.ef_search = 100"
    plan.replace_in_source(RETRIEVAL, settings, "SET LOCAL ivfflat.probes = 8")


OWNED = """
CREATE FUNCTION upload_pipeline.is_own(document uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT EXISTS (SELECT FROM upload_pipeline.documents d WHERE d.document_id = document AND d.user_id = auth.uid())
$$;
REVOKE ALL ON FUNCTION upload_pipeline.is_own(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.is_own(uuid) TO authenticated, service_role;
CREATE POLICY "read my documents" ON upload_pipeline.documents FOR SELECT TO authenticated USING (user_id = auth.uid());
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['documents', 'upload_jobs', 'document_chunks', 'events', 'webhook_log'] LOOP
        -- Its owner is no exception.
        EXECUTE format('ALTER TABLE upload_pipeline.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY "services read" ON upload_pipeline.%I FOR SELECT TO service_role USING (true)', name);
        EXECUTE format('CREATE POLICY "services add" ON upload_pipeline.%I FOR INSERT TO service_role WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY "services change" ON upload_pipeline.%I FOR UPDATE TO service_role USING (true)', name);
        EXECUTE format('CREATE POLICY "services remove" ON upload_pipeline.%I FOR DELETE TO service_role USING (true)', name);
        IF name NOT IN ('documents', 'webhook_log') THEN
            EXECUTE format('CREATE POLICY "read mine" ON upload_pipeline.%I FOR SELECT TO authenticated
                USING ((SELECT auth.uid()) IS NOT NULL AND upload_pipeline.is_own(document_id))', name);
        END IF;
    END LOOP;
END $$;
"""


@variant("M58", "other policies of the same meaning: by command, through a function that knows the owner, and for owners too")
def owned(plan: Plan) -> None:
    path = f"{MIGRATIONS}/20250103000000_row_level_security.sql"
    text = (plan.source / path).read_text()
    grants = text[: text.index("ALTER TABLE")]
    (plan.source / path).write_text(grants + OWNED)
