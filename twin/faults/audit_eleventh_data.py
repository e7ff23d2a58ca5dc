"""Policies and rights that hold in one condition only: of old files, of one type, of the same content, of what has failed."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

UPLOADS = "api/uploads.py"


@fault(
    "LX02",
    "every user may read files that are a month old",
    "storage/database",
    "postdeploy",
    mode="-|F23|F24",
    about="*another user*|*bucket files*",
)
def old_files(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY files_archive ON storage.objects FOR SELECT TO authenticated"
        " USING (bucket_id = 'files' AND created_at < now() - interval '30 days')"
    )


@fault(
    "LX03",
    "every user may delete texts by what storage knows of their type",
    "storage/database",
    "postdeploy",
    mode="-|F23|F24",
    about="*another user*|*bucket files*",
)
def texts_by_type(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY files_texts ON storage.objects FOR DELETE TO authenticated"
        " USING (bucket_id = 'files' AND metadata ->> 'mimetype' = 'text/markdown')"
    )


@fault(
    "LX04",
    "whoever has the same file sees the documents of all who have it",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*documents*",
)
def same_file(plan: Plan) -> None:
    plan.sql += [
        "CREATE FUNCTION upload_pipeline.own_hashes() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER AS"
        " 'SELECT file_sha256 FROM upload_pipeline.documents WHERE user_id = auth.uid()'",
        "CREATE POLICY documents_same ON upload_pipeline.documents FOR SELECT TO authenticated"
        " USING (file_sha256 IN (SELECT upload_pipeline.own_hashes()))",
    ]


@fault(
    "LX05",
    "users do not see their jobs that are tried again",
    "database",
    "postdeploy",
    mode="-",
    about="*upload_jobs*",
)
def hidden_tries(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY upload_jobs_first ON upload_pipeline.upload_jobs AS RESTRICTIVE FOR SELECT TO authenticated"
        " USING (retry_count = 0)"
    )


@fault("LX06", "the upload proxy stores in the one bucket, whichever was named", "api", "postdeploy", mode="-", about="*proxy*")
def any_bucket(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "if bucket != BUCKET or not key", "if not key")


@fault(
    "LX07",
    "changes of jobs that have ended are not published",
    "realtime/database",
    "postdeploy",
    mode="-",
    about="*realtime*|*changes*",
)
def unpublished_ends(plan: Plan) -> None:
    plan.sql += [
        "ALTER PUBLICATION supabase_realtime DROP TABLE upload_pipeline.upload_jobs",
        "ALTER TABLE upload_pipeline.upload_jobs REPLICA IDENTITY FULL",
        "ALTER PUBLICATION supabase_realtime ADD TABLE upload_pipeline.upload_jobs WHERE (state <> 'done')",
    ]


@fault(
    "LX01",
    "whoever calls themselves an administrator changes everybody's files",
    "storage/database",
    "postdeploy",
    mode="-|F23|F24",
    about="*another user*|*bucket files*",
)
def self_made_storekeepers(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY files_admin ON storage.objects FOR ALL TO authenticated USING (bucket_id = 'files'"
        " AND (current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> 'role') = 'admin')"
    )


@fault(
    "LX08",
    "whoever calls themselves an administrator changes everybody's jobs",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*upload_jobs*",
)
def self_made_dispatchers(plan: Plan) -> None:
    plan.sql += [
        "GRANT UPDATE (status, state) ON upload_pipeline.upload_jobs TO authenticated",
        "CREATE POLICY upload_jobs_admin ON upload_pipeline.upload_jobs FOR UPDATE TO authenticated"
        " USING ((current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> 'admin')::boolean)",
    ]
