"""Variants of the schema: other types, constraints and indexes that keep the same promises."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

DOCUMENTS = "upload_pipeline.documents"
JOBS = "upload_pipeline.upload_jobs"
CHUNKS = "upload_pipeline.document_chunks"
STATUSES = (
    "'uploaded', 'parse_queued', 'parsed', 'parse_validated', 'chunking', 'chunks_stored', 'embedding_queued', "
    "'embedding_in_progress', 'embeddings_stored', 'complete', 'failed_parse', 'failed_chunking', 'failed_embedding', 'duplicate'"
)
STATES = "'queued', 'working', 'retryable', 'done', 'deadletter'"
UNFINISHED = "state IN ('queued', 'working', 'retryable')"


def change_types(table: str, kind: str, *columns: str) -> str:
    """The statement that gives these columns of a table another type."""
    return f"ALTER TABLE {table} " + ", ".join(f"ALTER COLUMN {column} TYPE {kind}" for column in columns)


@variant("V02", "the vector index is an ivfflat index of the embedded chunks only")
def other_vector_index(plan: Plan) -> None:
    plan.sql += [
        "DROP INDEX upload_pipeline.document_chunks_embedding_idx",
        # A single list: the table is still empty, so further lists would have no centres, and searches would miss neighbours.
        "CREATE INDEX document_chunks_ann ON upload_pipeline.document_chunks"
        " USING ivfflat (embedding vector_cosine_ops) WITH (lists = 1) WHERE embedding IS NOT NULL",
    ]


@variant(
    "V24", "texts are varchar or char, times have a precision, numbers that the contract leaves open are bigint or smallint"
)
def other_types(plan: Plan) -> None:
    plan.sql += [
        change_types(DOCUMENTS, "varchar(300)", "filename", "mime", "raw_path", "parsed_path", "processing_status"),
        change_types(DOCUMENTS, "char(64)", "file_sha256", "parsed_sha256"),
        change_types(DOCUMENTS, "timestamptz(3)", "created_at", "updated_at"),
        change_types(JOBS, "varchar(40)", "status", "state", "chunks_version", "embed_model", "embed_version"),
        change_types(JOBS, "varchar", "webhook_secret"),
        change_types(JOBS, "timestamptz(6)", "created_at", "updated_at"),
        change_types(CHUNKS, "varchar(64)", "chunker_name", "chunker_version", "chunk_sha", "embed_model", "embed_version"),
        change_types(CHUNKS, "bigint", "chunk_ord"),
        change_types(CHUNKS, "smallint", "vector_dim"),
    ]


@variant("V25", "status and state have domains, whose CHECKs name the agreed values")
def domains(plan: Plan) -> None:
    plan.sql += [
        f"CREATE DOMAIN upload_pipeline.job_status AS text CONSTRAINT job_status_check CHECK (VALUE = ANY (ARRAY[{STATUSES}]))",
        f"CREATE DOMAIN upload_pipeline.job_state AS varchar(20) DEFAULT 'queued' CHECK (VALUE IN ({STATES}))",
        "CREATE DOMAIN upload_pipeline.dimension AS int CHECK (VALUE = 1536)",
        "DROP INDEX upload_pipeline.upload_jobs_unfinished_idx",
        f"ALTER TABLE {JOBS} DROP CONSTRAINT upload_jobs_status_check, DROP CONSTRAINT upload_jobs_state_check,"
        " ALTER COLUMN status TYPE upload_pipeline.job_status, ALTER COLUMN state TYPE upload_pipeline.job_state",
        f"ALTER TABLE {CHUNKS} DROP CONSTRAINT document_chunks_vector_dim_check,"
        " ALTER COLUMN vector_dim TYPE upload_pipeline.dimension",
        f"CREATE INDEX jobs_to_do ON {JOBS} (status, created_at) WHERE {UNFINISHED}",
    ]


@variant("V26", "CHECKs are written as comparisons, and there are more of them, of one column and of several")
def more_checks(plan: Plan) -> None:
    either = " OR ".join(f"status = {status}" for status in STATUSES.split(", "))
    plan.sql += [
        f"ALTER TABLE {JOBS} DROP CONSTRAINT upload_jobs_status_check, DROP CONSTRAINT upload_jobs_state_check,"
        f" ADD CONSTRAINT known_status CHECK ({either}),"
        f" ADD CONSTRAINT known_state CHECK (state = ANY ('{{queued,working,retryable,done,deadletter}}'::text[])),"
        " ADD CONSTRAINT status_is_lower_case CHECK (status = lower(status) AND status <> ''),"
        " ADD CONSTRAINT complete_is_done CHECK (status <> 'complete' OR state = 'done'),"
        " ADD CONSTRAINT waiting_has_a_secret CHECK (status <> 'parse_queued' OR state = 'queued' OR retry_count >= 0),"
        " ADD CONSTRAINT counted CHECK (retry_count >= 0)",
        f"ALTER TABLE {CHUNKS} DROP CONSTRAINT document_chunks_vector_dim_check,"
        " ADD CONSTRAINT one_dimension CHECK (1536 = vector_dim AND vector_dim > 0),"
        " ADD CONSTRAINT same_dimension CHECK (embedding IS NULL OR vector_dims(embedding) = vector_dim),"
        " ADD CONSTRAINT numbered CHECK (chunk_ord >= 0)",
        f"ALTER TABLE {DOCUMENTS} ADD CONSTRAINT hashes CHECK (length(file_sha256) = 64),"
        " ADD CONSTRAINT words CHECK (processing_status IS NULL OR processing_status <> 'no')",
    ]


@variant("V27", "one CHECK states which status goes with which state")
def one_check_for_both(plan: Plan) -> None:
    plan.sql += [
        f"ALTER TABLE {JOBS} DROP CONSTRAINT upload_jobs_status_check, DROP CONSTRAINT upload_jobs_state_check,"
        f" ADD CONSTRAINT status_with_state CHECK (status IN ({STATUSES}) AND state IN ({STATES})"
        " AND (state <> 'done' OR status IN ('complete', 'duplicate', 'failed_parse', 'failed_chunking', 'failed_embedding')))"
    ]


@variant(
    "V28", "keys and indexes include further columns, are unique indexes instead of constraints, or are longer than needed"
)
def including_columns(plan: Plan) -> None:
    plan.sql += [
        f"ALTER TABLE {DOCUMENTS} DROP CONSTRAINT documents_user_file_unique",
        f"CREATE UNIQUE INDEX one_file_each ON {DOCUMENTS} (file_sha256, user_id) INCLUDE (document_id, filename)",
        f"ALTER TABLE {CHUNKS} DROP CONSTRAINT document_chunks_order_unique, DROP CONSTRAINT document_chunks_pkey,"
        " ADD CONSTRAINT document_chunks_pkey PRIMARY KEY (chunk_id) INCLUDE (document_id)",
        f"CREATE UNIQUE INDEX one_of_each ON {CHUNKS} (document_id, chunker_name, chunker_version, chunk_ord) INCLUDE (chunk_id)",
        "DROP INDEX upload_pipeline.upload_jobs_unfinished_idx, upload_pipeline.upload_jobs_document_idx",
        f"CREATE INDEX to_do ON {JOBS} (status, created_at) INCLUDE (job_id, state, retry_count) WHERE {UNFINISHED}",
        f"CREATE INDEX jobs_of_document ON {JOBS} (document_id, created_at DESC)",
        f"CREATE INDEX documents_by_user ON {DOCUMENTS} (user_id, created_at DESC) INCLUDE (filename)",
        f"CREATE INDEX documents_by_name ON {DOCUMENTS} (lower(filename))",
    ]


@variant("V29", "the vector index is one of half precision, with options, and searches compare in half precision")
def half_precision(plan: Plan) -> None:
    plan.sql += [
        "DROP INDEX upload_pipeline.document_chunks_embedding_idx",
        f"CREATE INDEX chunks_half ON {CHUNKS} USING hnsw ((embedding::halfvec(1536)) halfvec_cosine_ops)"
        " WITH (m = 24, ef_construction = 96)",
    ]
    plan.replace_in_source(
        "api/retrieval.py", "(c.embedding <=> $1::vector)", "(c.embedding::halfvec(1536) <=> $1::halfvec(1536))"
    )
    plan.replace_in_source(
        "api/retrieval.py",
        "ORDER BY c.embedding <=> $1::vector LIMIT",
        "ORDER BY c.embedding::halfvec(1536) <=> $1::halfvec(1536) LIMIT",
    )


@variant("V30", "pgvector is in the schema `extensions`")
def extension_in_its_schema(plan: Plan) -> None:
    plan.sql += [
        "CREATE SCHEMA extensions",
        "ALTER EXTENSION vector SET SCHEMA extensions",
        "GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role, staging_user",
        'ALTER DATABASE staging_db SET search_path = "$user", public, extensions',
    ]
    plan.replace_in_source("backend/shared/database.py", '"{config.schema},public"', '"{config.schema},public,extensions"')


@variant("V31", "foreign keys are deferrable, composite or doubled, and children refer to the users too")
def other_foreign_keys(plan: Plan) -> None:
    plan.sql += [
        f"ALTER TABLE {DOCUMENTS} ADD CONSTRAINT documents_with_owner UNIQUE (user_id, document_id)",
        f"ALTER TABLE {JOBS} DROP CONSTRAINT upload_jobs_document_id_fkey, ADD CONSTRAINT jobs_to_documents FOREIGN KEY (document_id)"
        f" REFERENCES {DOCUMENTS} ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE",
        f"ALTER TABLE {CHUNKS} ADD COLUMN user_id uuid",
        "CREATE FUNCTION upload_pipeline.owner_of_chunk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" NEW.user_id := (SELECT user_id FROM {DOCUMENTS} WHERE document_id = NEW.document_id); RETURN NEW; END $$",
        f"CREATE TRIGGER owner BEFORE INSERT ON {CHUNKS} FOR EACH ROW EXECUTE FUNCTION upload_pipeline.owner_of_chunk()",
        f"ALTER TABLE {CHUNKS} DROP CONSTRAINT document_chunks_document_id_fkey, ADD CONSTRAINT chunks_to_documents"
        f" FOREIGN KEY (user_id, document_id) REFERENCES {DOCUMENTS} (user_id, document_id) MATCH FULL ON DELETE CASCADE",
        "CREATE TABLE upload_pipeline.retention (document_id uuid PRIMARY KEY)",
        "ALTER TABLE upload_pipeline.retention ENABLE ROW LEVEL SECURITY",
    ]


@variant("V32", "generated columns, identities, comments, statistics, and columns in another order")
def other_columns(plan: Plan) -> None:
    first = "20250101000000_upload_pipeline.sql"
    path = f"supabase/migrations/{first}"
    plan.replace_in_source(path, "    user_id uuid NOT NULL,\n    filename text NOT NULL,\n", "")
    plan.replace_in_source(
        path,
        "    CONSTRAINT documents_user_file_unique",
        "    filename text NOT NULL,\n    user_id uuid NOT NULL,\n    CONSTRAINT documents_user_file_unique",
    )
    plan.replace_in_source(
        path, "    chunk_id uuid PRIMARY KEY,\n    document_id uuid NOT NULL,\n", "    document_id uuid NOT NULL,\n"
    )
    plan.replace_in_source(
        path,
        "    vector_dim int CONSTRAINT",
        "    chunk_id uuid DEFAULT gen_random_uuid() PRIMARY KEY,\n    vector_dim int CONSTRAINT",
    )
    plan.sql += [
        f"ALTER TABLE {DOCUMENTS} ADD COLUMN number bigint GENERATED BY DEFAULT AS IDENTITY,"
        " ADD COLUMN title text GENERATED ALWAYS AS (regexp_replace(filename, '[.]pdf$', '')) STORED",
        f"ALTER TABLE {CHUNKS} ADD COLUMN words tsvector GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED",
        f"CREATE INDEX chunk_words ON {CHUNKS} USING gin (words)",
        f"CREATE INDEX chunk_facts ON {JOBS} USING gin (progress jsonb_path_ops)",
        f"COMMENT ON COLUMN {JOBS}.status IS 'status: ''uploaded'', ''done'' and so on'",
        f"COMMENT ON TABLE {CHUNKS} IS 'CHECK (vector_dim = 3072) was planned'",
        f"CREATE STATISTICS upload_pipeline.of_jobs ON status, state FROM {JOBS}",
    ]


POLICIES = {
    "documents": "user_id",
    "upload_jobs": "document_id",
    "document_chunks": "document_id",
    "events": "document_id",
}
AUTH_ROLE = """CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}') $$;
CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS $$ SELECT auth.jwt() ->> 'role' $$;
GRANT EXECUTE ON FUNCTION auth.role(), auth.jwt() TO anon, authenticated, service_role"""


def drop_policies(*names: str) -> list[str]:
    """Statements that drop the policies of these kinds (`owner`, `service`) on every table of the schema."""
    tables = {"owner": POLICIES, "service": [*POLICIES, "webhook_log"]}
    return [f"DROP POLICY {table}_{name} ON upload_pipeline.{table}" for name in names for table in tables[name]]


@variant("V33", "policies are for everybody and test the role, wrap auth.uid() in a SELECT, and are FOR ALL")
def policies_that_test_the_role(plan: Plan) -> None:
    mine = f"(SELECT document_id FROM {DOCUMENTS} WHERE user_id = (SELECT auth.uid()))"
    service = "(SELECT auth.role()) = 'service_role' OR current_user = 'service_role' OR session_user = current_user"
    plan.sql += [AUTH_ROLE, *drop_policies("owner", "service")]
    for table, key in POLICIES.items():
        own = "user_id = (SELECT auth.uid())" if key == "user_id" else f"document_id IN {mine}"
        plan.sql.append(
            f"CREATE POLICY mine ON upload_pipeline.{table} FOR SELECT USING ((SELECT auth.role()) = 'authenticated' AND {own})"
        )
    for table in (*POLICIES, "webhook_log"):
        plan.sql.append(
            f"CREATE POLICY service ON upload_pipeline.{table} FOR ALL TO PUBLIC USING ({service}) WITH CHECK ({service})"
        )


@variant("V34", "policies ask functions that run with their owner's rights, in another schema")
def policies_by_functions(plan: Plan) -> None:
    plan.sql += [
        AUTH_ROLE,
        "CREATE SCHEMA private",
        "GRANT USAGE ON SCHEMA private TO authenticated, service_role, staging_user",
        f"""CREATE FUNCTION private.owns(wanted uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
            AS $$ SELECT EXISTS (SELECT 1 FROM {DOCUMENTS} d WHERE d.document_id = wanted AND d.user_id = (SELECT auth.uid())) $$""",
        """CREATE FUNCTION private.is_service() RETURNS boolean LANGUAGE sql STABLE SET search_path = ''
            AS $$ SELECT pg_catalog.pg_has_role(current_user, 'service_role', 'MEMBER') $$""",
        *drop_policies("owner", "service"),
    ]
    for table, key in POLICIES.items():
        own = "user_id = auth.uid()" if key == "user_id" else "private.owns(document_id)"
        plan.sql.append(f"CREATE POLICY mine ON upload_pipeline.{table} FOR SELECT TO authenticated USING ({own})")
    for table in (*POLICIES, "webhook_log"):
        for command, clause in (("SELECT", "USING"), ("INSERT", "WITH CHECK"), ("UPDATE", "USING"), ("DELETE", "USING")):
            plan.sql.append(
                f"CREATE POLICY s_{command.lower()} ON upload_pipeline.{table} FOR {command} {clause} (private.is_service())"
            )


@variant("V35", "the service role passes row-level security by, and the services' own role has policies of its own")
def bypassing_service(plan: Plan) -> None:
    plan.sql += [
        "ALTER ROLE service_role BYPASSRLS",
        *drop_policies("service"),
        *(
            f"CREATE POLICY services ON upload_pipeline.{table} TO staging_user USING (true) WITH CHECK (true)"
            for table in (*POLICIES, "webhook_log")
        ),
    ]


@variant(
    "V36", "several policies for a user, a restrictive one, one that shows nothing, and row-level security forced on owners"
)
def restrictive_policies(plan: Plan) -> None:
    plan.sql += [
        "CREATE ROLE pipeline_owner NOLOGIN BYPASSRLS",
        "GRANT USAGE ON SCHEMA upload_pipeline, auth TO pipeline_owner",
        f"CREATE POLICY none ON {DOCUMENTS} FOR SELECT TO anon USING (false)",
        f"CREATE POLICY by_name ON {DOCUMENTS} FOR SELECT TO authenticated"
        " USING (user_id = auth.uid() AND filename IS NOT NULL)",
        f"CREATE POLICY named_only ON {DOCUMENTS} AS RESTRICTIVE FOR SELECT TO authenticated USING (filename <> '')",
        f"CREATE POLICY signed_in ON {JOBS} AS RESTRICTIVE TO authenticated USING ((SELECT auth.uid()) IS NOT NULL)",
        "CREATE POLICY admins ON upload_pipeline.events FOR SELECT TO authenticated USING"
        " (coalesce(current_setting('request.jwt.claims', true)::jsonb -> 'app_metadata' ->> 'admin', 'false') = 'true')",
    ]
    for table in (*POLICIES, "webhook_log"):
        plan.sql.append(f"ALTER TABLE upload_pipeline.{table} OWNER TO pipeline_owner")
        plan.sql.append(f"ALTER TABLE upload_pipeline.{table} FORCE ROW LEVEL SECURITY")


@variant(
    "V37", "more objects: views, functions, triggers, schemas, a partitioned table of events, and rows of older migrations"
)
def more_objects(plan: Plan) -> None:
    plan.sql += [
        "DROP TABLE upload_pipeline.events",
        """CREATE TABLE upload_pipeline.events (
            event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            job_id uuid REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
            document_id uuid, type text NOT NULL, payload jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now()
        ) PARTITION BY HASH (event_id)""",
        *(
            f"CREATE TABLE upload_pipeline.events_{part} PARTITION OF upload_pipeline.events"
            f" FOR VALUES WITH (MODULUS 2, REMAINDER {part}); ALTER TABLE upload_pipeline.events_{part} ENABLE ROW LEVEL SECURITY"
            for part in (0, 1)
        ),
        "ALTER TABLE upload_pipeline.events ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY events_service ON upload_pipeline.events TO service_role USING (true) WITH CHECK (true)",
        "CREATE POLICY events_owner ON upload_pipeline.events FOR SELECT TO authenticated USING (document_id IN"
        f" (SELECT document_id FROM {DOCUMENTS} WHERE user_id = auth.uid()))",
        "GRANT SELECT ON upload_pipeline.events TO authenticated",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.events TO service_role",
        f"CREATE VIEW upload_pipeline.jobs_of_today WITH (security_invoker = true) AS SELECT * FROM {JOBS}"
        " WHERE created_at > now() - interval '1 day'",
        f"CREATE MATERIALIZED VIEW upload_pipeline.totals AS SELECT count(*) FROM {DOCUMENTS}",
        "CREATE FUNCTION upload_pipeline.touch() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$",
        f"CREATE TRIGGER touch BEFORE UPDATE ON {DOCUMENTS} FOR EACH ROW EXECUTE FUNCTION upload_pipeline.touch()",
        f"CREATE TRIGGER touch BEFORE UPDATE ON {JOBS} FOR EACH ROW EXECUTE FUNCTION upload_pipeline.touch()",
        "CREATE SCHEMA archive",
        f"CREATE TABLE archive.documents AS SELECT * FROM {DOCUMENTS} WITH NO DATA",
        "ALTER TABLE archive.documents ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE supabase_migrations.schema_migrations ADD COLUMN created_by text, ADD COLUMN idempotency_key text UNIQUE",
        "INSERT INTO supabase_migrations.schema_migrations (version, name) VALUES ('20240101000000', 'before_the_squash'),"
        " ('20991231000000', 'of_another_team')",
        "DELETE FROM supabase_migrations.schema_migrations WHERE version = 'seed'",
    ]
    # Migrations begin with their version; other files of the folder are none.
    file = plan.source / "supabase/migrations/seed.sql"
    file.write_text("-- Rows for a developer's own database are added here.\n")
    (plan.source / "supabase/migrations/README.md").write_text("How migrations are named.\n")


OTHER = "cccccccc-0000-4000-8000-00000000000"
VECTOR = "(SELECT array_agg(CASE WHEN n % 3 = 0 THEN 0.02 ELSE 0.03 END)::vector(1536) FROM generate_series(1, 1536) n)"


@variant("V38", "other people's users, documents, jobs and chunks were there before")
def rows_of_others(plan: Plan) -> None:
    plan.sql += [
        "INSERT INTO auth.users (id, email, encrypted_password) SELECT ('" + OTHER + "' || n)::uuid,"
        " 'other' || n || '@example.com', 'x' FROM generate_series(1, 4) n",
        f"""INSERT INTO {DOCUMENTS} (document_id, user_id, filename, mime, bytes_len, file_sha256, parsed_sha256, raw_path, parsed_path,
                processing_status, created_at)
            SELECT ('dddddddd-0000-4000-8000-00000000000' || n)::uuid, ('{OTHER}' || n)::uuid, 'policy ' || n || '.pdf', 'application/pdf',
                1000 + n, lpad(to_hex(n), 64, '0'), NULL, 'files/user/{OTHER}' || n || '/raw/0000000' || n || '.pdf', NULL,
                CASE n WHEN 1 THEN 'complete' WHEN 2 THEN 'failed_parse' END, now() - interval '40 days'
            FROM generate_series(1, 4) n""",
        f"""INSERT INTO {JOBS} (document_id, status, state, retry_count, last_error, created_at, updated_at)
            SELECT ('dddddddd-0000-4000-8000-00000000000' || n)::uuid, status, state, n, '{{"error": "timeout"}}',
                now() - interval '40 days', now() - interval '40 days'
            FROM (VALUES (1, 'complete', 'done'), (2, 'failed_parse', 'deadletter'), (3, 'duplicate', 'done'),
                         (4, 'failed_embedding', 'deadletter')) AS jobs (n, status, state)""",
        f"""INSERT INTO {CHUNKS} (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text, chunk_sha, embed_model,
                embed_version, vector_dim, embedding)
            SELECT gen_random_uuid(), 'dddddddd-0000-4000-8000-000000000001', 'markdown-simple', '1', n, 'Passage ' || n,
                lpad(to_hex(n), 64, '0'), 'text-embedding-3-small', '1', 1536, {VECTOR} FROM generate_series(0, 19) n""",
    ]


@variant("V39", "the pipeline's tables belong to another role, and privileges come through a group")
def other_owner(plan: Plan) -> None:
    plan.sql += [
        "CREATE ROLE app_owner NOLOGIN",
        "CREATE ROLE readers NOLOGIN",
        "GRANT readers TO authenticated",
        "REVOKE ALL ON ALL TABLES IN SCHEMA upload_pipeline FROM authenticated",
        f"GRANT SELECT ON {DOCUMENTS}, {JOBS}, {CHUNKS}, upload_pipeline.events TO readers",
        "ALTER SCHEMA upload_pipeline OWNER TO app_owner",
        "GRANT USAGE ON SCHEMA auth TO app_owner",
        "GRANT USAGE ON SCHEMA upload_pipeline TO anon",
    ]
    for table in (*POLICIES, "webhook_log"):
        plan.sql.append(f"ALTER TABLE upload_pipeline.{table} OWNER TO app_owner")
