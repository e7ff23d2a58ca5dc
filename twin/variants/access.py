"""Variants of access to the schema: policies, roles and owners that let the same people see the same rows."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.database import CHUNKS, DOCUMENTS, JOBS

POLICIES = {
    "documents": "user_id",
    "upload_jobs": "document_id",
    "document_chunks": "document_id",
    "events": "document_id",
}
AUTH_ROLE = """CREATE OR REPLACE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}') $$;
CREATE OR REPLACE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS $$ SELECT auth.jwt() ->> 'role' $$;
GRANT EXECUTE ON FUNCTION auth.role(), auth.jwt() TO anon, authenticated, service_role"""


def drop_policies(*names: str) -> list[str]:
    """Statements that drop the policies of these kinds (`owner`, `service`) on every table of the schema."""
    tables = {"owner": POLICIES, "service": [*POLICIES, "webhook_log"]}
    return [f"DROP POLICY {table}_{name} ON upload_pipeline.{table}" for name in names for table in tables[name]]


@variant("V33", "policies are for everybody and test the role, wrap auth.uid() in a SELECT, and are FOR ALL")
def policies_that_test_the_role(plan: Plan) -> None:
    mine = f"(SELECT document_id FROM {DOCUMENTS} WHERE user_id = (SELECT auth.uid()))"
    service = "(SELECT auth.role()) = 'service_role' OR current_user = 'service_role' OR session_user = current_user"
    plan.sql += [AUTH_ROLE, *drop_policies("owner", "service")]
    for table, key in POLICIES.items():
        own = "user_id = (SELECT auth.uid())" if key == "user_id" else f"document_id IN {mine}"
        plan.sql.append(
            f"CREATE POLICY mine ON upload_pipeline.{table} FOR SELECT USING ((SELECT auth.role()) = 'authenticated' AND {own})"
        )
    for table in (*POLICIES, "webhook_log"):
        plan.sql.append(
            f"CREATE POLICY service ON upload_pipeline.{table} FOR ALL TO PUBLIC USING ({service}) WITH CHECK ({service})"
        )


@variant("V34", "policies ask functions that run with their owner's rights, in another schema")
def policies_by_functions(plan: Plan) -> None:
    plan.sql += [
        AUTH_ROLE,
        "CREATE SCHEMA private",
        "GRANT USAGE ON SCHEMA private TO authenticated, service_role, staging_user",
        f"""CREATE FUNCTION private.owns(wanted uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
            AS $$ SELECT EXISTS (SELECT 1 FROM {DOCUMENTS} d
                                 WHERE d.document_id = wanted AND d.user_id = (SELECT auth.uid())) $$""",
        """CREATE FUNCTION private.is_service() RETURNS boolean LANGUAGE sql STABLE SET search_path = ''
            AS $$ SELECT pg_catalog.pg_has_role(current_user, 'service_role', 'MEMBER') $$""",
        *drop_policies("owner", "service"),
    ]
    for table, key in POLICIES.items():
        own = "user_id = auth.uid()" if key == "user_id" else "private.owns(document_id)"
        plan.sql.append(f"CREATE POLICY mine ON upload_pipeline.{table} FOR SELECT TO authenticated USING ({own})")
    for table in (*POLICIES, "webhook_log"):
        for command, clause in (("SELECT", "USING"), ("INSERT", "WITH CHECK"), ("UPDATE", "USING"), ("DELETE", "USING")):
            plan.sql.append(
                f"CREATE POLICY s_{command.lower()} ON upload_pipeline.{table} FOR {command} {clause} (private.is_service())"
            )


@variant("V35", "the service role passes row-level security by, and the services' own role has policies of its own")
def bypassing_service(plan: Plan) -> None:
    plan.sql += [
        "ALTER ROLE service_role BYPASSRLS",
        *drop_policies("service"),
        *(
            f"CREATE POLICY services ON upload_pipeline.{table} TO staging_user USING (true) WITH CHECK (true)"
            for table in (*POLICIES, "webhook_log")
        ),
    ]


@variant(
    "V36", "several policies for a user, a restrictive one, one that shows nothing, and row-level security forced on owners"
)
def restrictive_policies(plan: Plan) -> None:
    plan.sql += [
        "CREATE ROLE pipeline_owner NOLOGIN BYPASSRLS",
        "GRANT USAGE ON SCHEMA upload_pipeline, auth TO pipeline_owner",
        f"CREATE POLICY none ON {DOCUMENTS} FOR SELECT TO anon USING (false)",
        f"CREATE POLICY by_name ON {DOCUMENTS} FOR SELECT TO authenticated"
        " USING (user_id = auth.uid() AND filename IS NOT NULL)",
        f"CREATE POLICY named_only ON {DOCUMENTS} AS RESTRICTIVE FOR SELECT TO authenticated USING (filename <> '')",
        f"CREATE POLICY signed_in ON {JOBS} AS RESTRICTIVE TO authenticated"
        # The services' own role is a member of this one.
        " USING ((SELECT auth.uid()) IS NOT NULL OR current_user <> 'authenticated')",
        "CREATE POLICY admins ON upload_pipeline.events FOR SELECT TO authenticated USING"
        " (coalesce(current_setting('request.jwt.claims', true)::jsonb -> 'app_metadata' ->> 'admin', 'false') = 'true')",
    ]
    for table in (*POLICIES, "webhook_log"):
        plan.sql.append(f"ALTER TABLE upload_pipeline.{table} OWNER TO pipeline_owner")
        plan.sql.append(f"ALTER TABLE upload_pipeline.{table} FORCE ROW LEVEL SECURITY")


@variant("V39", "the pipeline's tables belong to another role, and privileges come through a group")
def other_owner(plan: Plan) -> None:
    plan.sql += [
        "CREATE ROLE app_owner NOLOGIN",
        "CREATE ROLE readers NOLOGIN",
        "GRANT readers TO authenticated",
        "REVOKE ALL ON ALL TABLES IN SCHEMA upload_pipeline FROM authenticated",
        f"GRANT SELECT ON {DOCUMENTS}, {JOBS}, {CHUNKS}, upload_pipeline.events TO readers",
        "ALTER SCHEMA upload_pipeline OWNER TO app_owner",
        "GRANT USAGE ON SCHEMA auth TO app_owner",
        "GRANT USAGE ON SCHEMA upload_pipeline TO anon",
    ]
    for table in (*POLICIES, "webhook_log"):
        plan.sql.append(f"ALTER TABLE upload_pipeline.{table} OWNER TO app_owner")
