"""Faults of the schema, its constraints and its row-level security."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "F06",
    "CHECK constraint older than the code: a status is rejected",
    "database",
    "predeploy",
    "postdeploy",
    about="*upload_jobs.status*|*CHECK constraint*",
    log="*violates check constraint*",
    silent=("predeploy",),
)
def old_check_constraint(plan: Plan) -> None:
    plan.sql += [
        "ALTER TABLE upload_pipeline.upload_jobs DROP CONSTRAINT upload_jobs_status_check",
        """ALTER TABLE upload_pipeline.upload_jobs ADD CONSTRAINT upload_jobs_status_check CHECK (status IN (
               'uploaded', 'parse_queued', 'parsed', 'chunking', 'chunks_stored', 'embedding_queued',
               'embedding_in_progress', 'embeddings_stored', 'complete', 'failed_parse', 'failed_chunking',
               'failed_embedding', 'duplicate'))""",
    ]


@fault(
    "F18",
    "one connection for each request: connections run out under modest load",
    "database",
    "performance",
    about="*connections*",
)
def connections_run_out(plan: Plan) -> None:
    plan.replace_in_source("backend/shared/database.py", "max_size=size,", "max_size=500,")
    plan.sql.append("ALTER ROLE staging_user CONNECTION LIMIT 16")


@fault(
    "F24",
    "row-level security is off on two tables",
    "database",
    "predeploy",
    "postdeploy",
    about="*table documents*|*table document_chunks*",
)
def no_row_level_security(plan: Plan) -> None:
    for table in ("documents", "document_chunks"):
        plan.sql.append(f"ALTER TABLE upload_pipeline.{table} DISABLE ROW LEVEL SECURITY")


@fault(
    "F27",
    "the vector index is missing",
    "database",
    "predeploy",
    "performance",
    about="*document_chunks.embedding*|*document_chunks embedding*",
)
def no_vector_index(plan: Plan) -> None:
    plan.sql.append("DROP INDEX upload_pipeline.document_chunks_embedding_idx")


@fault("G02", "a foreign key was dropped", "database", "predeploy", mode="-", about="*document_chunks.document_id*")
def no_foreign_key(plan: Plan) -> None:
    plan.sql.append("ALTER TABLE upload_pipeline.document_chunks DROP CONSTRAINT document_chunks_document_id_fkey")


@fault("G03", "a policy lets every user read all documents", "database", "postdeploy", mode="F24|-", about="*table documents*")
def policy_too_wide(plan: Plan) -> None:
    plan.sql.append("CREATE POLICY everyone ON upload_pipeline.documents FOR SELECT TO authenticated USING (true)")


@fault("G04", "the newest migration is not applied", "database", "predeploy", mode="-", about="*20250105000000*")
def unapplied_migration(plan: Plan) -> None:
    plan.sql.append("DELETE FROM supabase_migrations.schema_migrations WHERE version = '20250105000000'")


@fault(
    "G39",
    "the database is far away: each packet takes 60 ms",
    "database",
    "performance",
    mode="-",
    about="*simple query*|*database*",
)
def slow_database(plan: Plan) -> None:
    plan.config.behaviour["postgres"] = {"delay": 0.06}


@fault(
    "G40",
    "the services' role may open only a few connections",
    "database",
    "postdeploy",
    mode="F18|-",
    about="*connections*",
)
def few_connections(plan: Plan) -> None:
    plan.sql.append("ALTER ROLE staging_user CONNECTION LIMIT 18")


@fault(
    "G41",
    "the role `authenticated` has no privileges on two tables",
    "database/worker",
    "postdeploy",
    mode="-",
    about="*table documents*|*table document_chunks*",
)
def missing_privileges(plan: Plan) -> None:
    for table in ("documents", "document_chunks"):
        plan.sql.append(f"REVOKE ALL ON upload_pipeline.{table} FROM authenticated")


@fault(
    "G43",
    "the services' role cannot read the pipeline's tables",
    "database/api",
    "postdeploy",
    mode="-",
    about="*table documents*|*table upload_jobs*|*table document_chunks*|*role of the services*",
    log="*permission denied for table*",
)
def unreadable_tables(plan: Plan) -> None:
    plan.sql.append("REVOKE SELECT ON ALL TABLES IN SCHEMA upload_pipeline FROM service_role, authenticated")


@fault(
    "G44",
    "policies let everyone read all rows, without signing in",
    "database",
    "predeploy",
    "postdeploy",
    mode="F24|-",
    about="*table documents*|*table upload_jobs*|*table document_chunks*",
)
def open_policies(plan: Plan) -> None:
    plan.sql.append("GRANT USAGE ON SCHEMA upload_pipeline TO anon")
    for table in ("documents", "upload_jobs", "document_chunks"):
        plan.sql.append(f"GRANT SELECT ON upload_pipeline.{table} TO anon")
        plan.sql.append(f"CREATE POLICY everyone ON upload_pipeline.{table} FOR SELECT TO anon, authenticated USING (true)")
