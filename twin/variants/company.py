"""Variants of what else is in the database: other objects, other people's rows."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.database import CHUNKS, DOCUMENTS, JOBS


@variant(
    "V37", "more objects: views, functions, triggers, schemas, a partitioned table of events, and rows of older migrations"
)
def more_objects(plan: Plan) -> None:
    plan.sql += [
        "DROP TABLE upload_pipeline.events",
        """CREATE TABLE upload_pipeline.events (
            event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            job_id uuid REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
            document_id uuid, type text NOT NULL, payload jsonb NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL DEFAULT now()
        ) PARTITION BY HASH (event_id)""",
        *(
            f"CREATE TABLE upload_pipeline.events_{part} PARTITION OF upload_pipeline.events"
            f" FOR VALUES WITH (MODULUS 2, REMAINDER {part});"
            f" ALTER TABLE upload_pipeline.events_{part} ENABLE ROW LEVEL SECURITY"
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
    file.write_text("-- Rows for a developer's own database are added here.\nSELECT 1;\n")
    (plan.source / "supabase/migrations/README.md").write_text("How migrations are named.\n")


OTHER = "cccccccc-0000-4000-8000-00000000000"
VECTOR = "(SELECT array_agg(CASE WHEN n % 3 = 0 THEN 0.02 ELSE 0.03 END)::vector(1536) FROM generate_series(1, 1536) n)"


@variant("V38", "other people's users, documents, jobs and chunks were there before")
def rows_of_others(plan: Plan) -> None:
    plan.sql += [
        "INSERT INTO auth.users (id, email, encrypted_password) SELECT ('" + OTHER + "' || n)::uuid,"
        " 'other' || n || '@example.com', 'x' FROM generate_series(1, 4) n",
        f"""INSERT INTO {DOCUMENTS} (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path, processing_status,
                created_at)
            SELECT ('dddddddd-0000-4000-8000-00000000000' || n)::uuid, ('{OTHER}' || n)::uuid, 'policy ' || n || '.pdf',
                'application/pdf', 1000 + n, lpad(to_hex(n), 64, '0'),
                'files/user/{OTHER}' || n || '/raw/0000000' || n || '.pdf',
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
