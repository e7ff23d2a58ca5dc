"""Columns, constraints, indexes, privileges and policies of the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from proof.facts.mutation import ACCESS, CONNECTIVITY, SCHEMA, Mutation
from spec import Specification
from spec.model import Table

ROWS = """WITH d AS (INSERT INTO {schema}.documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path)
        VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'x', 1, 'x', 'x') RETURNING document_id),
    j AS (INSERT INTO {schema}.upload_jobs (document_id, status, state) SELECT document_id, 'complete', 'done' FROM d),
    c AS (INSERT INTO {schema}.document_chunks (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text,
        chunk_sha) SELECT gen_random_uuid(), document_id, 'x', '1', 0, 'x', 'x' FROM d),
    e AS (INSERT INTO {schema}.events (type) VALUES ('x'))
    INSERT INTO {schema}.webhook_log (provider, accepted, payload_sha256) VALUES ('x', true, 'x')"""
# A fact and the statement that changes it; {0} is the schema.
STATEMENTS = {
    "primary key of documents": "ALTER TABLE {0}.documents DROP CONSTRAINT documents_pkey CASCADE",
    "primary key of upload_jobs": "ALTER TABLE {0}.upload_jobs DROP CONSTRAINT upload_jobs_pkey CASCADE",
    "primary key of document_chunks": "ALTER TABLE {0}.document_chunks DROP CONSTRAINT document_chunks_pkey",
    "unique documents": "ALTER TABLE {0}.documents DROP CONSTRAINT documents_user_file_unique",
    "unique chunks": "ALTER TABLE {0}.document_chunks DROP CONSTRAINT document_chunks_order_unique",
    "foreign key of jobs": "ALTER TABLE {0}.upload_jobs DROP CONSTRAINT upload_jobs_document_id_fkey",
    "foreign key of chunks": "ALTER TABLE {0}.document_chunks DROP CONSTRAINT document_chunks_document_id_fkey",
    "check of status": "ALTER TABLE {0}.upload_jobs DROP CONSTRAINT upload_jobs_status_check",
    "check of state": "ALTER TABLE {0}.upload_jobs DROP CONSTRAINT upload_jobs_state_check",
    "check of vector_dim": "ALTER TABLE {0}.document_chunks DROP CONSTRAINT document_chunks_vector_dim_check",
    "index of unfinished jobs": "DROP INDEX {0}.upload_jobs_unfinished_idx",
    "index of jobs by document": "DROP INDEX {0}.upload_jobs_document_idx",
    "index of embeddings": "DROP INDEX {0}.document_chunks_embedding_idx",
    "superuser rights": "ALTER ROLE staging_user SUPERUSER",
    "role anon": "ALTER ROLE anon RENAME TO anon_old",
    "role authenticated": "ALTER ROLE authenticated RENAME TO authenticated_old",
    "role service_role": "ALTER ROLE service_role RENAME TO service_role_old",
    "extension": "DROP EXTENSION vector CASCADE",
    "schema": "ALTER SCHEMA {0} RENAME TO {0}_old",
    "bucket": "DELETE FROM storage.buckets",
    "migrations unknown": "DELETE FROM supabase_migrations.schema_migrations",
}


def _of_table(spec: Specification, table: Table) -> Iterator[Mutation]:
    full = f"{spec.database.schema_name}.{table.name}"

    def sql(label: str, statement: str, suite: str = SCHEMA) -> Mutation:
        return Mutation(f"{table.name}: {label}", "schema", suite, ["--sql", statement])

    for number, (column, kind) in enumerate(table.columns.items()):
        if number % 2 or kind.startswith(("vector", "jsonb", "uuid")):
            yield sql(f"column {column} missing", f"ALTER TABLE {full} RENAME COLUMN {column} TO {column}_old")
        else:
            yield sql(f"column {column} of another type", _retype(full, column, "jsonb"))
    yield sql("row-level security off", f"ALTER TABLE {full} DISABLE ROW LEVEL SECURITY", ACCESS)
    yield sql("table missing", f"ALTER TABLE {full} RENAME TO {table.name}_old")
    yield sql("service role lost a privilege", f"REVOKE {table.service_grants[-1]} ON {full} FROM service_role", ACCESS)
    yield sql("policy of the service role missing", f"DROP POLICY {table.name}_service ON {full}", ACCESS)
    opened = f"GRANT USAGE ON SCHEMA {spec.database.schema_name} TO anon; GRANT SELECT ON {full} TO anon"
    policy = f"CREATE POLICY open ON {full} FOR SELECT TO anon USING (true)"
    rows = ROWS.replace("{schema}", spec.database.schema_name)
    yield sql("visible to strangers", f"{opened}; {rows}; {policy}", ACCESS)


def _retype(table: str, column: str, kind: str) -> str:
    """Change a type no matter what depends on it: checks and keys on the column go with it."""
    return f"ALTER TABLE {table} RENAME COLUMN {column} TO {column}_old; ALTER TABLE {table} ADD COLUMN {column} {kind}"


def of_schema(spec: Specification) -> Iterator[Mutation]:
    """Every column, constraint, index, privilege and policy."""
    for table in spec.database.tables:
        yield from _of_table(spec, table)
    for label, statement in STATEMENTS.items():
        statements = ["--sql", statement.format(spec.database.schema_name)]
        yield Mutation(f"{label} changed", "schema", ACCESS if label.startswith("role ") else SCHEMA, statements)
    yield from _of_statuses(spec)


def _of_statuses(spec: Specification) -> Iterator[Mutation]:
    """Each status of a job, no longer allowed: seen in the catalogue, and by trying to write it."""
    jobs = f"{spec.database.schema_name}.upload_jobs"
    allowed = spec.database.table("upload_jobs").checks["status"]
    for status in allowed:
        listed = ", ".join(f"'{value}'" for value in allowed if value != status)
        drop = f"ALTER TABLE {jobs} DROP CONSTRAINT upload_jobs_status_check"
        add = f"ALTER TABLE {jobs} ADD CONSTRAINT upload_jobs_status_check CHECK (status IN ({listed}))"
        for suite in (SCHEMA, CONNECTIVITY):
            yield Mutation(f"status {status} not allowed ({Path(suite).stem})", "schema", suite, ["--sql", drop, "--sql", add])
