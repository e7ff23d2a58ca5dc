"""Faults written from the specification alone: violations of the contract that are no known failure mode."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"
APPLICATION = "api/application.py"
AUTH = "api/auth.py"
JOBS = "api/jobs.py"
RETRIEVAL = "api/retrieval.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"


@fault(
    "T16",
    "401 of GET /auth/user has no WWW-Authenticate header",
    "auth/api",
    "postdeploy",
    mode="-",
    about="WWW-Authenticate|/auth/user",
)
def no_challenge(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '@router.get("/me")\n@router.get("/auth/user")\n',
        '@router.get("/auth/user")\n'
        "async def auth_user(request: Request) -> dict[str, Any]:\n"
        "    try:\n"
        "        return await me(await current_user(request))\n"
        "    except HTTPException as error:\n"
        "        raise HTTPException(error.status_code, error.detail) from error\n\n\n"
        '@router.get("/me")\n',
    )


@fault(
    "T17",
    "registering an address twice returns 200 and a user that does not exist",
    "auth/api",
    "postdeploy",
    mode="-",
    about="/register|duplicate|e-mail",
)
def duplicate_address(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "from uuid import UUID\n", "from uuid import UUID, uuid4\n")
    plan.replace_in_source(
        AUTH,
        '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n',
        "    try:\n"
        '        user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n'
        "    except HTTPException as error:\n"
        "        if error.status_code != 409:\n"
        "            raise\n"
        '        user = {"id": str(uuid4()), "email": body["email"], "user_metadata": {"name": body["name"]}}\n',
    )


@fault(
    "T18",
    "upload_expires_at is an hour ahead of now, the signed URL lives five minutes",
    "api",
    "postdeploy",
    mode="-",
    about="upload_expires_at|signed_url|expires",
)
def late_expiry(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "timedelta(seconds=SIGNED_URL_TTL_SECONDS)", "timedelta(hours=1)")


@fault(
    "T19",
    "the list of jobs contains those of all users when it is filtered by state",
    "api",
    "postdeploy",
    mode="-",
    about="another user|other users|list of jobs|jobs?state",
)
def filter_without_owner(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "AND ($2::text IS NULL OR j.state = $2) ", "AND $2::text IS NULL OR j.state = $2 ")


@fault(
    "T20",
    "a retry of a completed job is accepted and processes the document again",
    "api",
    "postdeploy",
    mode="-",
    about="retry|409|not retryable",
)
def retry_of_completed_job(plan: Plan) -> None:
    plan.replace_in_source(JOBS, 'row["state"] != "deadletter"', 'row["state"] not in ("deadletter", "done")')
    plan.replace_in_source(JOBS, "        restart = {\n", '        restart = {\n            "complete": "uploaded",\n')


@fault("T21", "a job that the worker gives up has no last_error", "worker", "postdeploy", mode="-", about="last_error|reason")
def no_reason(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE, "                reason,\n            )\n", "                None if final else reason,\n            )\n"
    )


@fault(
    "T22",
    "each chunk is stored with the vector of the next one",
    "worker/rag",
    "postdeploy",
    mode="F11|-",
    about="embedding|vector|chunk",
)
def vector_of_the_next(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "(connection, batch, vectors)\n", "(connection, batch, vectors[1:] + vectors[:1])\n")


@fault(
    "T23",
    "the upload proxy reports success when storage refuses the file",
    "api/storage",
    "postdeploy",
    mode="-",
    about="upload-file-proxy|proxy|409|storage's status",
)
def refusal_is_success(plan: Plan) -> None:
    refusal = '        raise HTTPException(error.status, "storage refused the file") from error\n'
    plan.replace_in_source(UPLOADS, refusal, f"        if error.status >= 500:\n    {refusal}")


@fault(
    "T24",
    "passages are cached by question, whoever asks",
    "rag/chat",
    "postdeploy",
    mode="-",
    about="another user|other user|passages|cache",
)
def passages_of_the_first_user(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, "CHARACTERS_PER_TOKEN = 4\n", "CHARACTERS_PER_TOKEN = 4\n_cache: dict[str, Any] = {}\n")
    plan.replace_in_source(
        RETRIEVAL,
        "    vector = vector_literal(",
        "    if question in _cache:\n        return list(_cache[question])\n    vector = vector_literal(",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    return within_budget(passages, config)\n",
        "    found = within_budget(passages, config)\n    if found:\n        _cache[question] = found\n    return found\n",
    )


@fault(
    "T25",
    "the webhook accepts a callback without a signature",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="signature|unsigned",
)
def unsigned_callback(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        "if not secret or not signature or not hmac.compare_digest(expected, signature):",
        "if signature and not hmac.compare_digest(expected, signature):",
    )


@fault(
    "T26",
    "responses of 400 and above have neither a request id nor a process time",
    "api/network",
    "postdeploy",
    mode="-",
    about="X-Request-ID|X-Process-Time",
)
def errors_without_headers(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION, '["type"] == "http.response.start":', '["type"] == "http.response.start" and message["status"] < 400:'
    )


@fault(
    "T27",
    "SUPABASE_ANON_KEY holds the service-role key",
    "configuration/supabase",
    "predeploy",
    mode="-",
    about="SUPABASE_ANON_KEY|anon",
)
def privileged_anon_key(plan: Plan) -> None:
    plan.set_both("SUPABASE_ANON_KEY", plan.config.service_role_key)


@fault(
    "T28",
    "the bucket does not accept Markdown, so parsed text cannot be stored",
    "storage/webhook/api/supabase",
    "postdeploy",
    mode="F04|-",
    about="mime|bucket|parse_queued|storage",
)
def no_markdown(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET allowed_mime_types = ARRAY['application/pdf'] WHERE id = 'files'")


@fault(
    "T29",
    "passages are ordered from the worst to the best",
    "rag/chat",
    "postdeploy",
    mode="-",
    about="order|best first|similarity",
)
def worst_first(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL, "    return within_budget(passages, config)\n", "    return within_budget(passages, config)[::-1]\n"
    )


@fault(
    "T30",
    "ANTHROPIC_API_KEY holds the key of OpenAI",
    "configuration/anthropic",
    "predeploy",
    mode="-",
    about="ANTHROPIC_API_KEY|Anthropic",
)
def key_of_another_vendor(plan: Plan) -> None:
    plan.set_both("ANTHROPIC_API_KEY", plan.config.openai_key)


@fault(
    "T15", "a Bearer token that is not a JWT returns 500", "auth/api", "postdeploy", mode="F08", about="500|malformed|token|401"
)
def token_of_other_shape(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "    user = await verify_token(request, token.strip())\n",
        '    if token.count(".") != 2:\n'
        '        raise HTTPException(500, "the token cannot be read")\n'
        "    user = await verify_token(request, token.strip())\n",
    )


@fault(
    "T12",
    "the limit of running jobs does not count waiting ones",
    "api",
    "postdeploy",
    mode="F34",
    about="429|concurrent|running|limit",
)
def waiting_jobs_are_free(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "j.state IN ('queued', 'working', 'retryable')", "j.state = 'working'")
