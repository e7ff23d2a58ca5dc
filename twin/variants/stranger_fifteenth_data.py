"""Variants by somebody who has not read the checks, fifteenth time: other tables, other ways to read and write them."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_twelfth import rewrite

MIGRATIONS = "supabase/migrations"
PIPELINE = f"{MIGRATIONS}/20250101000000_upload_pipeline.sql"
UPLOADS = "api/uploads.py"
DATABASE = "backend/shared/database.py"

PARTITIONS = """
DO $$
BEGIN
    FOR part IN 0..3 LOOP
        EXECUTE format('CREATE TABLE upload_pipeline.events_%s PARTITION OF upload_pipeline.events
            FOR VALUES WITH (MODULUS 4, REMAINDER %s)', part, part);
        EXECUTE format('ALTER TABLE upload_pipeline.events_%s ENABLE ROW LEVEL SECURITY', part);
        EXECUTE format('CREATE POLICY events_%s_service ON upload_pipeline.events_%s TO service_role
            USING (true) WITH CHECK (true)', part, part);
    END LOOP;
END $$;
"""
TIME_ORDERED = """-- Ids of version 7: those of later jobs are greater.
CREATE FUNCTION upload_pipeline.time_ordered_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(digits, 1, 3)
            || to_hex(8 + floor(random() * 4)::int) || substr(digits, 18, 15))::uuid
    FROM (SELECT replace(gen_random_uuid()::text, '-', '') AS digits) random_ones
$$;
REVOKE ALL ON FUNCTION upload_pipeline.time_ordered_id() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.time_ordered_id() TO service_role;
ALTER TABLE upload_pipeline.upload_jobs ALTER COLUMN job_id SET DEFAULT upload_pipeline.time_ordered_id();
GRANT USAGE ON SEQUENCE upload_pipeline.events_number TO service_role;
"""


@variant("M97", "events in partitions, job ids ordered by time, an ivfflat index over what is embedded, other names of indexes")
def partitions_and_ids(plan: Plan) -> None:
    text = (plan.source / PIPELINE).read_text()
    events = text[text.index("CREATE TABLE upload_pipeline.events (") : text.index("CREATE INDEX events_job_idx")]
    changed = events.replace(
        "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "bigint PRIMARY KEY DEFAULT nextval('upload_pipeline.events_number')",
    ).replace("now()\n);\n", "now()\n) PARTITION BY HASH (event_id);\n")
    plan.replace_in_source(PIPELINE, events, "CREATE SEQUENCE upload_pipeline.events_number;\n" + changed + PARTITIONS)
    plan.replace_in_source(
        PIPELINE,
        "CREATE INDEX upload_jobs_unfinished_idx ON upload_pipeline.upload_jobs (status, created_at)\n"
        "    WHERE state IN ('queued', 'working', 'retryable');",
        "CREATE INDEX ix_jobs_open ON upload_pipeline.upload_jobs (status, created_at) INCLUDE (state)\n"
        "    WHERE state IN ('queued', 'working', 'retryable');",
    )
    plan.replace_in_source(PIPELINE, "CREATE INDEX upload_jobs_document_idx", "CREATE INDEX ix_jobs_document")
    vectors = plan.source / MIGRATIONS / "20250102000000_vector_index.sql"
    vectors.write_text(
        "CREATE INDEX ix_chunks_embedding ON upload_pipeline.document_chunks\n"
        "    USING ivfflat (embedding vector_cosine_ops) WITH (lists = 8) WHERE embedding IS NOT NULL;\n"
    )
    (plan.source / MIGRATIONS / "20250107000000_time_ordered.sql").write_text(TIME_ORDERED)
    plan.replace_in_source(
        "api/retrieval.py",
        '"SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.ef_search = 100"',
        # All lists are read: the centres were chosen when there were hardly any rows.
        '"SET LOCAL ivfflat.probes = 8"',
    )


AS_USER = '''

@asynccontextmanager
async def as_user(pool: asyncpg.Pool, user_id: UUID) -> AsyncIterator[asyncpg.Connection]:
    """A transaction that only reads, and in which the database's policies show this user's rows alone."""
    claims = json.dumps({"sub": str(user_id), "role": "authenticated", "aud": "authenticated"})
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute(
            "SELECT set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)", claims
        )
        yield connection


def vector_literal('''


# The policies say whose.
OF_ANYBODY = (
    ("WHERE d.user_id = $2 AND c.embedding IS NOT NULL", "WHERE c.embedding IS NOT NULL"),
    ("LIMIT $3", "LIMIT $2"),
    ("            vector,\n            user_id,\n", "            vector,\n"),
)
OWN_JOB = (
    "    async with as_user(request.app.state.pool, user.id) as connection:\n"
    '        row = await connection.fetchrow(f"SELECT {COLUMNS} FROM upload_jobs j WHERE j.job_id = $1", job_id)\n'
)
OWN_JOBS = (
    "    async with as_user(request.app.state.pool, user.id) as connection:\n"
    "        rows = await connection.fetch(\n"
    '            f"SELECT {COLUMNS} FROM upload_jobs j WHERE $1::text IS NULL OR j.state = $1 "\n'
    '            "ORDER BY j.created_at DESC LIMIT $2 OFFSET $3",\n'
    "            state,\n            limit,\n            offset,\n        )\n"
)
OWN_DOCUMENT = (
    "    async with as_user(request.app.state.pool, user.id) as connection:\n"
    "        row = await connection.fetchrow(\n"
    '            """SELECT d.document_id, d.filename, d.processing_status, d.created_at, d.updated_at, j.job_id,\n'
    "                      j.status, j.state, j.last_error\n"
    "               FROM documents d LEFT JOIN upload_jobs j USING (document_id)\n"
    '               WHERE d.document_id = $1 ORDER BY j.created_at DESC LIMIT 1""",\n'
    "            document_id,\n        )\n"
)


@variant("M98", "the API reads jobs, documents and passages with the user's role: policies, not conditions, keep users apart")
def reads_as_the_user(plan: Plan) -> None:
    plan.replace_in_source(DATABASE, "\n\ndef vector_literal(", AS_USER)
    plan.replace_in_source(
        DATABASE,
        "import json\n",
        "import json\nfrom collections.abc import AsyncIterator\nfrom contextlib import asynccontextmanager\n"
        "from uuid import UUID\n",
    )
    jobs = "api/jobs.py"
    plan.replace_in_source(jobs, "from fastapi import", "from backend.shared.database import as_user\nfrom fastapi import")
    rewrite(
        plan,
        jobs,
        '    row = await request.app.state.pool.fetchrow(\n        f"SELECT',
        "    if row is None",
        OWN_JOB,
    )
    rewrite(
        plan,
        jobs,
        "    rows = await request.app.state.pool.fetch(",
        '    return {"jobs"',
        OWN_JOBS,
    )
    rewrite(
        plan,
        jobs,
        '    row = await request.app.state.pool.fetchrow(\n        """SELECT d.document_id',
        "    if row is None",
        OWN_DOCUMENT,
    )
    retrieval = "api/retrieval.py"
    plan.replace_in_source(
        retrieval,
        "async with pool.acquire() as connection, connection.transaction():",
        "async with as_user(pool, user_id) as connection:",
    )
    plan.replace_in_source(retrieval, "import vector_literal", "import as_user, vector_literal")
    for old, new in OF_ANYBODY:
        plan.replace_in_source(retrieval, old, new)


QUOTAS = """-- One row a user: whoever registers a document holds it, so that two requests cannot pass a limit together.
CREATE TABLE upload_pipeline.upload_quotas (
    user_id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    last_request timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE upload_pipeline.upload_quotas ENABLE ROW LEVEL SECURITY;
CREATE POLICY upload_quotas_service ON upload_pipeline.upload_quotas TO service_role USING (true) WITH CHECK (true);
CREATE POLICY upload_quotas_owner ON upload_pipeline.upload_quotas FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid()));
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.upload_quotas TO service_role;
GRANT SELECT ON upload_pipeline.upload_quotas TO authenticated;
"""
REGISTER = """    document_id = document_id_of(user.id, body.sha256)
    pool: asyncpg.Pool = request.app.state.pool
    # What is refused anyway need not be signed; storage is not asked while the user's row is held.
    await _refuse_duplicate(pool, user, body.sha256)
    await _refuse_over_limits(pool, user)
    try:
        url = await request.app.state.storage.create_signed_upload(object_key(user.id, document_id, "raw"))
    except CallError as error:
        raise not_served(error, "storage did not sign the upload") from error
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(HOLD, user.id)
        await _refuse_duplicate(connection, user, body.sha256)
        await _refuse_over_limits(connection, user)
        job_id = await _insert(connection, user, body, document_id)
"""
HOLD = '''HOLD = """INSERT INTO upload_quotas (user_id) VALUES ($1)
    ON CONFLICT (user_id) DO UPDATE SET last_request = now()"""
'''
INSERT_ALL = '''async def _insert(connection: asyncpg.Connection, user: Caller, body: UploadRequest, document_id: UUID) -> UUID:
    job_id: UUID = await connection.fetchval(
        """WITH document AS (
               INSERT INTO documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path,
                   processing_status) VALUES ($1, $2, $3, $4, $5, $6, $7, 'uploaded') RETURNING document_id
           ), job AS (
               INSERT INTO upload_jobs (document_id, status) SELECT document_id, 'uploaded' FROM document
               RETURNING job_id, document_id
           ), event AS (
               INSERT INTO events (job_id, document_id, type) SELECT job_id, document_id, 'uploaded' FROM job
           )
           SELECT job_id FROM job""",
        document_id,
        user.id,
        body.filename,
        body.mime,
        body.bytes_len,
        body.sha256,
        f"{BUCKET}/{object_key(user.id, document_id, 'raw')}",
    )
    return job_id


'''


@variant("M99", "registration holds a row of quotas, signs before its transaction, writes in one statement, other document ids")
def registration(plan: Plan) -> None:
    (plan.source / MIGRATIONS / "20250107000000_quotas.sql").write_text(QUOTAS)
    rewrite(plan, UPLOADS, "    document_id = document_id_of(user.id, body.sha256)\n", '    log.info("accepted', REGISTER)
    rewrite(plan, UPLOADS, "async def _insert(", '@router.post("/api/upload-pipeline/upload")', INSERT_ALL)
    plan.replace_in_source(UPLOADS, "MAX_FILE_SIZE_BYTES = 5", HOLD + "MAX_FILE_SIZE_BYTES = 5")
    plan.replace_in_source(
        UPLOADS, 'UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")', 'uuid5(UUID(int=0), "insurance-navigator/documents")'
    )
    plan.replace_in_source(UPLOADS, 'f"{user_id}:{sha256}"', 'f"user={user_id};sha256={sha256}"')
