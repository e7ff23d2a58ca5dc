"""Faults of the Supabase project: its schema against the migrations, access, the migrations themselves, settings, backups."""

from __future__ import annotations

from typing import Any

from twin.faults import fault
from twin.plan import Plan

SCHEMA = "upload_pipeline"
MIGRATION = "20250107000000_more.sql"


def _migrate(plan: Plan, sql: str) -> None:
    """One more migration of the release, which the twin's database gets like the others."""
    (plan.source / "supabase" / "migrations" / MIGRATION).write_text(sql)


def manage(plan: Plan, name: str, **changed: Any) -> None:
    """What the management API says otherwise."""
    plan.behaviour.setdefault("supabase", {}).setdefault("management", {})[name] = changed


@fault("LD01", "somebody made a table by hand", "database", "maintenance", mode="-", about="*table notes*")
def added_table(plan: Plan) -> None:
    plan.sql.append(f"CREATE TABLE {SCHEMA}.notes (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), body text)")
    plan.sql.append(f"ALTER TABLE {SCHEMA}.notes ENABLE ROW LEVEL SECURITY")


@fault(
    "LD02", "somebody changed a default by hand", "database", "maintenance", mode="-", about="*column upload_jobs.retry_count*"
)
def changed_default(plan: Plan) -> None:
    plan.sql.append(f"ALTER TABLE {SCHEMA}.upload_jobs ALTER retry_count SET DEFAULT 1")


@fault("LD03", "a privilege of the service role was revoked", "database", "maintenance", mode="-", about="*webhook_log*")
def revoked_grant(plan: Plan) -> None:
    plan.sql.append(f"REVOKE DELETE ON {SCHEMA}.webhook_log FROM service_role")


@fault("LD04", "every user may change every document's row", "database", "maintenance", mode="-|F24", about="*table documents*")
def writable_rows(plan: Plan) -> None:
    plan.sql.append(f"GRANT UPDATE ON {SCHEMA}.documents TO authenticated")
    plan.sql.append(f"CREATE POLICY editors ON {SCHEMA}.documents FOR UPDATE TO authenticated USING (true)")
    plan.sql.append(f"CREATE POLICY readers ON {SCHEMA}.documents FOR SELECT TO authenticated USING (true)")


@fault("LD05", "an index that only a migration names is gone", "database", "maintenance", mode="-", about="*events_job_idx*")
def dropped_index(plan: Plan) -> None:
    plan.sql.append(f"DROP INDEX {SCHEMA}.events_job_idx")


@fault("LD06", "a function without a search path of its own", "database", "maintenance", mode="-", about="*function due*")
def function_without_search_path(plan: Plan) -> None:
    _migrate(
        plan,
        f"CREATE FUNCTION {SCHEMA}.due() RETURNS bigint LANGUAGE sql STABLE"
        f" AS 'SELECT count(*) FROM {SCHEMA}.upload_jobs WHERE state = ''queued''';\n"
        f"REVOKE EXECUTE ON FUNCTION {SCHEMA}.due() FROM PUBLIC;\n",
    )


@fault(
    "LD07",
    "a migration renames a column that the running release uses",
    "database",
    "maintenance",
    mode="-",
    about=f"*{MIGRATION[:14]}*",
)
def renaming_migration(plan: Plan) -> None:
    # And back, so that the twin's services still work.
    _migrate(
        plan,
        f"ALTER TABLE {SCHEMA}.events RENAME COLUMN payload TO details;\n"
        f"ALTER TABLE {SCHEMA}.events RENAME COLUMN details TO payload;\n",
    )


@fault(
    "LD08",
    "a migration takes a table that no migration makes",
    "database",
    "maintenance",
    mode="-",
    about=f"*{MIGRATION[:14]}*",
)
def migration_without_ground(plan: Plan) -> None:
    _migrate(plan, "CREATE INDEX scratch_lists_due ON public.scratch_lists (due);\n")


@fault("LD09", "tokens of users live for a week", "supabase", "maintenance", mode="-", about="*token life*")
def long_tokens(plan: Plan) -> None:
    manage(plan, "auth", jwt_exp=7 * 24 * 3600)


@fault("LD10", "the last backup is three days old", "supabase", "maintenance", mode="-", about="*backup*")
def old_backup(plan: Plan) -> None:
    manage(plan, "backups", age_hours=72)


@fault("LD11", "every backup failed", "supabase", "maintenance", mode="-", about="*backup*")
def failed_backups(plan: Plan) -> None:
    manage(plan, "backups", status="FAILED")


@fault(
    "LD12",
    "the project's anon key was replaced, and the services still have the old one",
    "supabase",
    "maintenance",
    mode="F15|-",
    about="*SUPABASE_ANON_KEY*",
)
def replaced_key(plan: Plan) -> None:
    manage(plan, "keys", anon={"api_key": "replaced"}, publishable={"api_key": "replaced"})


@fault("LD13", "the bucket takes files of any size", "storage/database", "maintenance", mode="-|F34", about="*bucket*files*")
def bucket_without_limit(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = NULL WHERE id = 'files'")


@fault("LD14", "changes of all documents are published", "realtime/database", "maintenance", mode="-", about="*publication*")
def published_documents(plan: Plan) -> None:
    plan.sql.append(f"ALTER PUBLICATION supabase_realtime ADD TABLE {SCHEMA}.documents")


@fault("LD15", "the database accepts connections without TLS", "supabase", "maintenance", mode="-", about="*database TLS*")
def database_without_tls(plan: Plan) -> None:
    manage(plan, "ssl", currentConfig={"database": False})


@fault(
    "LD16",
    "the REST view acts as the service role for everybody",
    "database/supabase",
    "maintenance",
    mode="-|F24",
    about="*table *",
)
def rest_for_everybody(plan: Plan) -> None:
    plan.behaviour.setdefault("supabase", {})["rest_role"] = "service_role"
