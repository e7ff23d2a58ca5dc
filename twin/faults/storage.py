"""Faults of storage: policies and the bucket."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "F04",
    "storage policy missing: the service role cannot read `files`",
    "storage",
    "predeploy",
    "postdeploy",
    about="*bucket files*",
    log="*storage read answered*",
    silent=("predeploy",),
)
def no_read_policy(plan: Plan) -> None:
    plan.sql.append("DROP POLICY files_service_read ON storage.objects")


@fault("F23", "the bucket is public", "storage", "predeploy", "postdeploy", about="*bucket files*")
def public_bucket(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET public = true")


@fault(
    "G05",
    "a storage policy lets every user read every document",
    "storage",
    "postdeploy",
    mode="F23|-",
    about="*bucket files*|*documents in storage*",
)
def storage_policy_too_wide(plan: Plan) -> None:
    plan.sql.append("CREATE POLICY everyone ON storage.objects FOR SELECT TO authenticated, anon USING (true)")


@fault(
    "G06",
    "the bucket does not exist",
    "storage",
    "predeploy",
    "postdeploy",
    mode="-",
    about="*bucket files*",
    log="*storage did not sign*|*StorageError*",
    silent=("predeploy",),
)
def no_bucket(plan: Plan) -> None:
    plan.sql.append("DELETE FROM storage.buckets")


@fault(
    "G45",
    "storage reports a file as removed but keeps it",
    "storage/harness",
    "postdeploy",
    mode="-",
    about="*could not remove*|*bucket files*|*object *",
)
def files_are_kept(plan: Plan) -> None:
    plan.config.behaviour["supabase"] = {"keeps": "files"}


@fault("G46", "Supabase reports a user as removed but keeps it", "harness", "postdeploy", mode="-", about="*could not remove*")
def users_are_kept(plan: Plan) -> None:
    plan.config.behaviour["supabase"] = {"keeps": "users"}


@fault("G47", "anyone may create a bucket", "storage", "postdeploy", mode="-", about="*bucket*")
def open_buckets(plan: Plan) -> None:
    plan.sql.append("GRANT INSERT ON storage.buckets TO anon")
    plan.sql.append("CREATE POLICY everyone ON storage.buckets FOR INSERT TO anon WITH CHECK (true)")


@fault(
    "G48",
    "documents are stored under the file name that the user sent",
    "worker/api/storage",
    "postdeploy",
    mode="-",
    about="*raw_path*|*POST /api/upload-pipeline/upload*|*object *",
)
def paths_from_file_names(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", r""", pattern=r"^[^/\\\x00-\x1f]+$")""", ")")
    plan.replace_in_source("api/uploads.py", "{object_key(user.id, document_id, 'raw')}", "user/{user.id}/raw/{body.filename}")
