"""What the database and the storage show by what users write of themselves, and what functions show by other keys than ids."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

SAID = "(current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> 'sub')"


@fault("LY06", "documents belong to whom users say to be", "database", "postdeploy", mode="-|F24", about="*documents*")
def rows_by_what_is_said(plan: Plan) -> None:
    plan.sql.append(
        f"CREATE POLICY documents_said ON upload_pipeline.documents FOR SELECT TO authenticated USING (user_id::text = {SAID})"
    )


@fault(
    "LY14",
    "folders belong to whom users say to be",
    "storage/database",
    "postdeploy",
    mode="-|F23|F24",
    about="*another user*|*bucket files*",
)
def folders_by_what_is_said(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY files_said ON storage.objects FOR DELETE TO authenticated"
        f" USING (bucket_id = 'files' AND (string_to_array(name, '/'))[2] = {SAID})"
    )


@fault("LY07", "a function shows whose account an address is", "database", "postdeploy", mode="-|F24", about="*account_of*")
def account_by_address(plan: Plan) -> None:
    plan.sql.append(
        "CREATE FUNCTION public.account_of(address text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER"
        " AS 'SELECT id FROM auth.users WHERE email = address'"
    )


@fault(
    "LY08", "a function shows documents by the owner's address", "database", "postdeploy", mode="-|F24", about="*documents_of*"
)
def documents_by_address(plan: Plan) -> None:
    plan.sql.append(
        "CREATE FUNCTION upload_pipeline.documents_of(address text) RETURNS SETOF upload_pipeline.documents LANGUAGE sql STABLE"
        " SECURITY DEFINER AS 'SELECT d.* FROM upload_pipeline.documents d JOIN auth.users u ON u.id = d.user_id"
        " WHERE u.email = address'"
    )


@fault("LY09", "a function shows documents by their hash", "database", "postdeploy", mode="-|F24", about="*documents_with*")
def documents_by_hash(plan: Plan) -> None:
    plan.sql.append(
        "CREATE FUNCTION upload_pipeline.documents_with(sha text) RETURNS SETOF upload_pipeline.documents LANGUAGE sql STABLE"
        " SECURITY DEFINER AS 'SELECT * FROM upload_pipeline.documents WHERE file_sha256 = sha'"
    )


@fault("LY20", "a function removes whatever has a hash", "database", "postdeploy", mode="-|F24", about="*forget*")
def removed_by_hash(plan: Plan) -> None:
    plan.sql.append(
        "CREATE FUNCTION upload_pipeline.forget(file_hash text) RETURNS void LANGUAGE sql SECURITY DEFINER"
        " AS 'DELETE FROM upload_pipeline.documents WHERE file_sha256 = file_hash'"
    )


@fault("LY10", "a function lists everybody's files", "database", "postdeploy", mode="-|F23|F24", about="*files_below*")
def listed_files(plan: Plan) -> None:
    plan.sql.append(
        "CREATE FUNCTION public.files_below(prefix text) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER"
        " AS 'SELECT name FROM storage.objects WHERE starts_with(name, prefix)'"
    )


@fault("LY16", "a function gives any account another address", "database", "postdeploy", mode="-|F24", about="*set_address*")
def any_address(plan: Plan) -> None:
    plan.sql.append(
        "CREATE FUNCTION public.set_address(user_id uuid, address text) RETURNS void LANGUAGE sql SECURITY DEFINER"
        " AS 'UPDATE auth.users SET email = address || ''.new'' WHERE id = user_id'"
    )


@fault(
    "LY15",
    "private topics are of whom users say to be",
    "realtime/database",
    "postdeploy",
    mode="-|F24",
    about="*realtime*|*topic*",
)
def topics_by_what_is_said(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY user_topics ON realtime.messages FOR SELECT TO authenticated"
        f" USING (topic IN ('jobs:' || {SAID}, 'jobs:' || (SELECT auth.uid())::text))"
    )
