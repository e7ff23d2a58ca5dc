"""Faults of storage: policies and the bucket."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault("F04", "storage policy missing: the service role may not read `files`", "storage", "predeploy", "postdeploy")
def no_read_policy(plan: Plan) -> None:
    plan.sql.append("DROP POLICY files_service_read ON storage.objects")


@fault("F23", "bucket turned public", "storage", "predeploy", "postdeploy")
def public_bucket(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET public = true")


@fault("G05", "storage shows every document to every signed-in user", "storage", "postdeploy")
def storage_policy_too_wide(plan: Plan) -> None:
    plan.sql.append("CREATE POLICY everybody ON storage.objects FOR SELECT TO authenticated, anon USING (true)")


@fault("G06", "the bucket does not exist", "storage", "predeploy", "postdeploy")
def no_bucket(plan: Plan) -> None:
    plan.sql.append("DELETE FROM storage.buckets")


@fault("G45", "storage says that it removed a file, and keeps it", "storage/harness", "postdeploy")
def files_are_kept(plan: Plan) -> None:
    plan.config.behaviour["supabase"] = {"keeps": "files"}


@fault("G46", "Supabase says that it removed a user, and keeps them", "harness", "postdeploy")
def users_are_kept(plan: Plan) -> None:
    plan.config.behaviour["supabase"] = {"keeps": "users"}


@fault("G47", "anybody may make a bucket", "storage", "postdeploy")
def open_buckets(plan: Plan) -> None:
    plan.sql.append("GRANT INSERT ON storage.buckets TO anon")
    plan.sql.append("CREATE POLICY anybody ON storage.buckets FOR INSERT TO anon WITH CHECK (true)")


@fault("G48", "documents are kept under the name that the user gave them", "worker/api/storage", "postdeploy")
def names_lead_to_places(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", r""", pattern=r"^[^/\\\x00-\x1f]+$")""", ")")
    plan.replace_in_source("api/uploads.py", "{object_key(user.id, document_id, 'raw')}", "user/{user.id}/raw/{body.filename}")
