"""Faults of a tenth stranger: what answers and logs give away, and who may do what."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "O01",
    "a callback that says parsing failed writes the job's webhook secret to the log",
    "webhook/api",
    "postdeploy",
    mode="F21",
    about="*secret*",
)
def secret_in_log(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/shared/parsing.py",
        'log.warning("said to have failed: %s job_id=%s", reason, row["job_id"])',
        'log.warning("said to have failed: %s %s", reason, dict(row))',
    )


@fault(
    "O02",
    "the time of a document's status has no zone",
    "api",
    "postdeploy",
    mode="-",
    about="*/documents/*status*|*updated_at*|*zone*",
)
def no_zone(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        ('"last_error": row["last_error"],\n        "updated_at": row["updated_at"].isoformat(),'),
        ('"last_error": row["last_error"],\n        "updated_at": row["updated_at"].replace(tzinfo=None).isoformat(),'),
    )


@fault(
    "O03",
    "a callback with a wrong signature is told the right one",
    "webhook",
    "postdeploy",
    mode="F21|-",
    about="*webhook*|*signature*",
)
def tells_signature(plan: Plan) -> None:
    plan.replace_in_source(
        "api/webhook.py",
        "if not secret or not signature or not hmac.compare_digest(expected, signature):",
        (
            "if secret and signature and not hmac.compare_digest(expected, signature):\n"
            '        raise HTTPException(401, f"signature does not match the body: {expected}")\n'
            "    if not secret or not signature:"
        ),
    )


@fault(
    "O04",
    "the status of a document may be stored by shared caches",
    "api",
    "postdeploy",
    mode="-",
    about="*/documents/*status*|*cache*",
)
def shared_cache(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "HTTPException, Query, Request", "HTTPException, Query, Request, Response")
    plan.replace_in_source(
        "api/jobs.py",
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request)",
        ("async def document_status(document_id: UUID, user: CurrentUser, request: Request, response: Response)"),
    )
    plan.replace_in_source(
        "api/jobs.py",
        ('    return {\n        "document_id": str(row["document_id"]),\n        "filename"'),
        (
            '    response.headers["Cache-Control"] = "public, max-age=5"\n'
            "    return {\n"
            '        "document_id": str(row["document_id"]),\n'
            '        "filename"'
        ),
    )


@fault(
    "O05", "a complete job has a progress of 120 percent", "api", "postdeploy", mode="-", about="*progress*|*percent*|*/jobs*"
)
def beyond_hundred(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "(len(STAGES) - 1)", "(len(STAGES) - 2)")


@fault(
    "O06",
    "a signed-in user reads the embedded chunks of other users",
    "database/supabase",
    "postdeploy",
    mode="F24",
    about="*document_chunks*",
)
def chunks_of_all(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY document_chunks_search ON upload_pipeline.document_chunks FOR SELECT TO "
        "authenticated USING (embedding IS NOT NULL)"
    )


@fault(
    "O07",
    "a signed-in user reads the parsed text of other users in storage",
    "storage/supabase",
    "postdeploy",
    mode="F24|-",
    about="*files*|*parsed*|*storage*",
)
def parsed_of_all(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY files_preview ON storage.objects FOR SELECT TO authenticated USING (bucket_id = "
        "'files' AND name LIKE '%/parsed/%')"
    )


@fault("O08", "the retry of a job does not ask whose it is", "api", "postdeploy", mode="-", about="*retry*")
def retry_of_another(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        ('"WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",\n            job_id,\n            user.id,'),
        '"WHERE j.job_id = $1 FOR UPDATE OF j",\n            job_id,',
    )


@fault(
    "O09",
    "a token whose signature was changed is accepted for a while after the true one",
    "auth/api",
    "postdeploy",
    mode="F25",
    about="*token*|*signature*",
)
def signature_forgotten(plan: Plan) -> None:
    plan.replace_in_source("api/auth.py", "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        "api/auth.py",
        "WITHOUT_NUL = ",
        ("KNOWN: dict[str, tuple[float, dict[str, Any]]] = {}\nKNOWN_SECONDS = 20.0\nWITHOUT_NUL = "),
    )
    plan.replace_in_source(
        "api/auth.py",
        ("    client: Vendors = request.app.state.client\n    try:\n        reply"),
        (
            '    claims = token.rpartition(".")[0]\n'
            "    if claims in KNOWN and time.monotonic() < KNOWN[claims][0]:\n"
            "        return KNOWN[claims][1]\n"
            "    client: Vendors = request.app.state.client\n"
            "    try:\n"
            "        reply"
        ),
    )
    plan.replace_in_source(
        "api/auth.py",
        'reply.user.model_dump(mode="json")\n    return user',
        ('reply.user.model_dump(mode="json")\n    KNOWN[claims] = (time.monotonic() + KNOWN_SECONDS, user)\n    return user'),
    )


@fault(
    "O10",
    "the anonymous key reads the events of parsed documents",
    "database/supabase",
    "postdeploy",
    mode="F24",
    about="*events*",
)
def events_for_anon(plan: Plan) -> None:
    plan.sql.append(
        "GRANT USAGE ON SCHEMA upload_pipeline TO anon; GRANT SELECT ON upload_pipeline.events TO anon; "
        "CREATE POLICY events_status_page ON upload_pipeline.events FOR SELECT TO anon USING (type = "
        "'parsed')"
    )
