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
