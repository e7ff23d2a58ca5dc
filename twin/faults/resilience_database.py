"""Faults of taking the database back: backups that miss rows or cannot be restored, migrations without a way back."""

from __future__ import annotations

from typing import Any

from twin.faults import fault
from twin.plan import Plan

SCHEMA = "upload_pipeline"
CHUNKS = f"{SCHEMA}.document_chunks"
MIGRATION = "supabase/migrations/20250201000000_document_titles.sql"
BACK = "supabase/rollbacks/20250201000000_document_titles.sql"
ADDED = "ALTER TABLE upload_pipeline.documents ADD COLUMN title text;"
DROPPED = "ALTER TABLE upload_pipeline.documents DROP COLUMN title;"


def _manage(plan: Plan, **changed: Any) -> None:
    """What the management API says otherwise of the backups."""
    plan.behaviour.setdefault("supabase", {}).setdefault("management", {}).setdefault("backups", {}).update(changed)


# ── A dump that misses something ─────────────────────────────────────────────────────────────────────────
@fault(
    "R70", "the role that makes backups may not read a table", "database", "resilience", mode="-", about="*table webhook_log*"
)
def backup_without_a_table(plan: Plan) -> None:
    plan.sql.append("REVOKE pg_read_all_data FROM backup_user")
    plan.sql.append(
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO backup_user; GRANT SELECT ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO backup_user"
    )
    plan.sql.append(f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO backup_user")
    plan.sql.append(f"REVOKE SELECT ON {SCHEMA}.webhook_log FROM backup_user")


@fault(
    "R71",
    "policies hide rows from the role that makes backups",
    "database",
    "resilience",
    mode="-",
    about="*table document_chunks*",
)
def backup_under_policies(plan: Plan) -> None:
    plan.sql.append("ALTER ROLE backup_user NOBYPASSRLS; GRANT authenticated TO backup_user")


# ── A dump that cannot be restored ───────────────────────────────────────────────────────────────────────
@fault(
    "R72", "a restore loses the vector index, whose function relies on the search path", "database", "resilience",
    mode="-", about="*document_chunks_embedding_idx*",
)  # fmt: skip
def index_that_is_not_restored(plan: Plan) -> None:
    plan.sql.append(
        f"CREATE FUNCTION {SCHEMA}.is_searchable(v vector) RETURNS boolean IMMUTABLE LANGUAGE plpgsql"
        " AS 'BEGIN RETURN vector_norm(v) > 0; END'"
    )
    plan.sql.append(f"DROP INDEX {SCHEMA}.document_chunks_embedding_idx")
    plan.sql.append("SET search_path = public")
    plan.sql.append(
        f"CREATE INDEX document_chunks_embedding_idx ON {CHUNKS} USING hnsw (embedding vector_cosine_ops)"
        f" WHERE embedding IS NOT NULL AND {SCHEMA}.is_searchable(embedding)"
    )


@fault(
    "R73", "a restore loses the chunks, whose constraint relies on the search path", "database", "resilience",
    mode="-", about="*table document_chunks*",
)  # fmt: skip
def rows_that_are_not_restored(plan: Plan) -> None:
    plan.sql.append(
        f"CREATE FUNCTION {SCHEMA}.has_length(v vector) RETURNS boolean IMMUTABLE LANGUAGE plpgsql"
        " AS 'BEGIN RETURN v IS NULL OR vector_norm(v) >= 0; END'"
    )
    plan.sql.append(f"ALTER TABLE {CHUNKS} ADD CONSTRAINT document_chunks_length_check CHECK ({SCHEMA}.has_length(embedding))")


@fault(
    "R74", "a policy relies on a search path of the database, which no dump holds", "database", "resilience",
    mode="-", about="*table documents*",
)  # fmt: skip
def policy_that_does_not_work_when_restored(plan: Plan) -> None:
    plan.sql.append(
        f"CREATE FUNCTION {SCHEMA}.is_own(owner uuid) RETURNS boolean STABLE LANGUAGE plpgsql"
        " AS 'BEGIN RETURN owner = uid(); END'"
    )
    plan.sql.append("ALTER DATABASE staging_db SET search_path = upload_pipeline, public, auth")
    plan.sql.append(f"ALTER POLICY documents_owner ON {SCHEMA}.documents USING ({SCHEMA}.is_own(user_id))")


@fault(
    "R75", "rows have numbers of their own, which the sequence gives out again after a restore", "database", "resilience",
    mode="-", about="*sequence events_event_id_seq*",
)  # fmt: skip
def numbers_that_are_given_out_again(plan: Plan) -> None:
    plan.sql.append(f"INSERT INTO {SCHEMA}.events (event_id, type) OVERRIDING SYSTEM VALUE VALUES (1000000, 'imported')")


@fault("R76", "a restore takes three seconds for each document", "database", "resilience", mode="-", about="*backup restore*")
def slow_restore(plan: Plan) -> None:
    plan.sql.append(
        f"CREATE FUNCTION {SCHEMA}.weighed(id uuid) RETURNS uuid IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN"
        " IF current_setting('application_name') = 'pg_restore' THEN PERFORM pg_sleep(3); END IF; RETURN id; END $$"
    )
    plan.sql.append(f"CREATE INDEX documents_weighed_idx ON {SCHEMA}.documents ({SCHEMA}.weighed(document_id))")


# ── The platform's own backups ───────────────────────────────────────────────────────────────────────────
@fault("R77", "a day of the last week has no backup", "supabase", "maintenance", mode="-", about="*backup days*")
def backup_of_a_day_missing(plan: Plan) -> None:
    _manage(plan, missing=[3])


@fault("R78", "a backup of last week failed", "supabase", "maintenance", mode="-", about="*backup failed ones*|*backup days*")
def failed_backup(plan: Plan) -> None:
    _manage(plan, failed=[2])


@fault(
    "R79",
    "the backups lie in another region, and are logical ones",
    "supabase",
    "maintenance",
    mode="-",
    about="*backup region*|*backup kind*",
)
def backups_elsewhere(plan: Plan) -> None:
    _manage(plan, region="eu-central-1", physical=False)


# ── Migrations of the release that comes next ────────────────────────────────────────────────────────────
@fault(
    "R80",
    "a migration's way back clears a column that was there before",
    "database",
    "resilience",
    mode="-",
    about="*table documents*",
)
def lossy_way_back(plan: Plan) -> None:
    plan.change_next(BACK, DROPPED, f"{DROPPED}\nUPDATE upload_pipeline.documents SET processing_status = NULL;")


@fault(
    "R81", "a migration has no way back and is not declared irreversible", "database", "resilience",
    mode="-", about="*20250201000000_document_titles*",
)  # fmt: skip
def no_way_back(plan: Plan) -> None:
    plan.next_steps.append(lambda tree: (tree / BACK).unlink())


@fault(
    "R82", "a migration renames a column that the running release uses", "database", "resilience",
    mode="-", about="*20250201000000_document_titles*|*old code*",
)  # fmt: skip
def renamed_column(plan: Plan) -> None:
    plan.change_next(MIGRATION, ADDED, f"{ADDED}\nALTER TABLE upload_pipeline.documents RENAME COLUMN mime TO mime_type;")
    plan.change_next(BACK, DROPPED, f"{DROPPED}\nALTER TABLE upload_pipeline.documents RENAME COLUMN mime_type TO mime;")
    plan.change_next("api/uploads.py", "filename, mime, bytes_len", "filename, mime_type, bytes_len")


@fault(
    "R83", "the next release's code needs a column before its migration has made it", "database", "resilience",
    mode="-", about="*20250201000000_document_titles*|*new code*",
)  # fmt: skip
def code_ahead_of_the_schema(plan: Plan) -> None:
    plan.change_next("api/jobs.py", "to_jsonb(d) ->> 'title' AS title", "d.title")


@fault(
    "R84",
    "a migration's way back leaves an index behind",
    "database",
    "resilience",
    mode="-",
    about="*20250201000000_document_titles*",
)
def way_back_that_leaves_something(plan: Plan) -> None:
    plan.change_next(
        MIGRATION,
        "CREATE INDEX documents_title_idx",
        "CREATE INDEX IF NOT EXISTS documents_mime_idx ON upload_pipeline.documents (mime);\nCREATE INDEX documents_title_idx",
    )
