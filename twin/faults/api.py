"""Faults of the API: another release, or a change that should not have been made."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

LIMITS = '@router.get("/api/upload-pipeline/upload/limits")'


@fault("F07", "the old commit is still live; an endpoint is missing", "api", "postdeploy")
def stale_release(plan: Plan) -> None:
    plan.extra_env["api"] = {"RENDER_GIT_COMMIT": "0" * 40, "APP_VERSION": "0.9.0-staging"}
    plan.replace_in_source("api/jobs.py", '"/documents/{document_id}/status"', '"/documents/{document_id}/state"')


@fault("F19", "health is served from a cache that never expires", "api", "postdeploy")
def stale_health(plan: Plan) -> None:
    plan.replace_in_source(
        "api/health.py",
        '        "timestamp": _now(),\n        "version": config.version,\n        "services": services,',
        '        "timestamp": "2025-01-21T00:00:00+00:00",\n        "version": config.version,\n        "services": services,',
    )


@fault("F21", "the health body shows the connection string", "api", "postdeploy")
def leaking_health(plan: Plan) -> None:
    plan.replace_in_source(
        "api/health.py", '"services": services,', '"services": services,\n        "database_url": config.database_url,'
    )


@fault("G08", "a debug page shows the environment", "api", "postdeploy", "contract")
def debug_page(plan: Plan) -> None:
    page = '@router.get("/debug/env")\nasync def debug_env() -> dict[str, str]:\n    import os\n\n'
    page += "    return dict(os.environ)\n\n\n"
    plan.replace_in_source("api/health.py", '@router.get("/api/v1/status")', page + '@router.get("/api/v1/status")')


@fault("F22", "an unauthenticated test upload was left in the release", "api", "postdeploy")
def open_test_endpoint(plan: Plan) -> None:
    page = (
        '@router.post("/api/upload-pipeline/test-upload")\nasync def test_upload(request: Request) -> dict[str, str]:\n'
        '    return {"job_id": "00000000-0000-0000-0000-000000000000", "size": str(len(await request.body()))}\n\n\n'
    )
    plan.replace_in_source("api/uploads.py", LIMITS, page + LIMITS)


@fault("F34", "size and rate limits are not enforced", "api", "postdeploy")
def no_limits(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", "if body.bytes_len > MAX_FILE_SIZE_BYTES:", "if body.bytes_len > 2**40:")
    plan.replace_in_source("api/uploads.py", '    if row["running"] >= MAX_CONCURRENT_JOBS:', "    if False:")
    plan.replace_in_source("api/uploads.py", '    if row["today"] >= MAX_UPLOADS_PER_DAY:', "    if False:")


@fault("G09", "HEAD /health is refused", "api", "postdeploy")
def no_head(plan: Plan) -> None:
    plan.replace_in_source("api/health.py", '@router.head("/health")\n', "")


@fault("G10", "responses have neither a request id nor a process time", "api", "postdeploy")
def untraceable(plan: Plan) -> None:
    plan.replace_in_source("api/application.py", "    app.add_middleware(RequestHeaders)\n", "")


@fault("G11", "users can read other users' jobs and documents", "api", "postdeploy")
def foreign_jobs_visible(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", " AND d.user_id = $2", " AND $2::uuid IS NOT NULL")


@fault("G12", "the webhook accepts any signature", "api", "postdeploy")
def unsigned_webhook(plan: Plan) -> None:
    plan.replace_in_source("api/webhook.py", "    if not secret or not signature or", "    if False and")


@fault("G13", "duplicates are not detected", "api", "postdeploy")
def duplicates_accepted(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", "        await _refuse_duplicate(connection, user, body.sha256)\n", "")


@fault("G16", "the jobs routes are missing", "api", "postdeploy")
def no_jobs_routes(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", '"/api/upload-pipeline/jobs', '"/api/upload-pipeline/tasks')


@fault("G31", "the upload proxy writes to any folder, and a job shows its webhook secret", "api/auth/storage", "postdeploy")
def careless_routes(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py", 'if bucket != BUCKET or not key.startswith(f"user/{user.id}/") or', "if bucket != BUCKET or"
    )
    plan.replace_in_source("api/jobs.py", '"cost_cents": 0,', '"cost_cents": 0,\n        "webhook_secret": "shown",')


@fault("G32", "the API registers documents with wrong paths, sizes and hashes", "worker/api", "postdeploy")
def wrong_rows(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", "        body.bytes_len,\n", "        body.bytes_len + 1,\n")
    plan.replace_in_source("api/uploads.py", 'f"{BUCKET}/{object_key(user.id', 'f"old/{object_key(user.id')
    plan.replace_in_source("api/webhook.py", "hashlib.sha256(text.encode()).hexdigest()", 'hashlib.sha256(b"").hexdigest()')
    plan.sql.append("ALTER TABLE upload_pipeline.upload_jobs ALTER embed_version SET DEFAULT '2'")


@fault("F31", "every request takes a fifth longer than in the last release, still within the target", "api", "performance")
def fifth_slower(plan: Plan) -> None:
    plan.replace_in_source("api/application.py", "import time\n", "import asyncio\nimport time\n")
    # A fifth of the time that the caller sees: the server's own, and what the connection adds to it. Short delays keep the
    # processor busy, as more work would; longer ones sleep, because otherwise one stall would cause the next.
    plan.replace_in_source(
        "api/application.py",
        '                spent = f"{time.perf_counter()',
        "                more = (time.perf_counter() - started) * 0.2 + 0.00025\n"
        "                until = time.perf_counter() + more\n"
        "                if more > 0.003:\n"
        "                    await asyncio.sleep(more)\n"
        "                while time.perf_counter() < until:\n"
        "                    pass\n"
        '                spent = f"{time.perf_counter()',
    )


@fault("G49", "an id that is not a UUID causes a 500", "api", "contract")
def wrong_id_is_500(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "async def job(job_id: UUID, user", "async def job(job_id: str, user")


@fault("G50", "the limits have another format than openapi.json describes", "api", "contract")
def undescribed_form(plan: Plan) -> None:
    described = '{"responses": {"200": {"content": {"application/json": {"schema": {"type": "array"}}}}}}'
    plan.replace_in_source("api/uploads.py", LIMITS, f"{LIMITS[:-1]}, openapi_extra={described})")


@fault("G51", "openapi.json is from another release: it describes CSV where JSON is returned", "api", "contract")
def stale_description(plan: Plan) -> None:
    plan.replace_in_source(
        "main.py",
        "app = create_app(load())",
        "app = create_app(load())\n"
        "described = app.openapi\n\n\n"
        "def stale() -> dict:\n"
        "    found = described()\n"
        "    for methods in found['paths'].values():\n"
        "        for operation in methods.values():\n"
        "            operation['responses'] = {'default': {'description': 'a table', 'content': {'text/csv': {}}}}\n"
        "    return found\n\n\n"
        "app.openapi = stale",
    )


@fault("G52", "the list of jobs ignores limit, offset and state", "api", "postdeploy")
def listing_without_pages(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "$2::text IS NULL OR j.state = $2", "$2::text IS NULL OR $2 <> ''")
    plan.replace_in_source("api/jobs.py", "LIMIT $3 OFFSET $4", "LIMIT 100 + 0 * $3::int OFFSET 0 * $4::int")


@fault("G53", "a retry returns 200 but does not queue the job again", "api", "postdeploy")
def retry_without_effect(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "state = 'queued', retry_count = 0", "state = 'deadletter', retry_count = 0")


@fault("G54", "process time is in milliseconds, and chat responses have the timestamp of another day", "api", "postdeploy")
def wrong_clocks(plan: Plan) -> None:
    plan.replace_in_source(
        "api/application.py", 'f"{time.perf_counter() - started:.6f}"', 'f"{(time.perf_counter() - started) * 1000:.6f}"'
    )
    plan.replace_in_source("api/chat.py", "datetime.now(UTC).isoformat()", "datetime(2024, 1, 1, tzinfo=UTC).isoformat()")


@fault("G55", "every subdomain of the company is a trusted host", "network/api", "postdeploy")
def trusted_sub_domains(plan: Plan) -> None:
    plan.replace_in_source("api/application.py", '"staging-admin.accessa.ai", ', '"staging-admin.accessa.ai", "*.accessa.ai", ')


@fault("G59", "JSON is sent as plain text", "api", "postdeploy")
def json_as_text(plan: Plan) -> None:
    kind = 'type("Text", (JSONResponse,), {"media_type": "text/plain"})'
    plan.replace_in_source("api/application.py", "app = FastAPI(title=", f"app = FastAPI(default_response_class={kind}, title=")


@fault("G62", "half of the parsed text is dropped at the callback", "llamaparse/worker/api", "postdeploy")
def half_of_the_text(plan: Plan) -> None:
    plan.replace_in_source(
        "api/webhook.py", "_store(request, connection, row, text)", "_store(request, connection, row, text[: len(text) // 2])"
    )


@fault("G63", "a failed document has chunks", "worker/api", "postdeploy")
def failed_with_chunks(plan: Plan) -> None:
    plan.replace_in_source(
        "api/webhook.py",
        '    await _event(connection, row, "failed_parse", error)\n',
        '    await _event(connection, row, "failed_parse", error)\n'
        "    await connection.execute(\n"
        '        "INSERT INTO document_chunks"\n'
        '        " (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text, chunk_sha)"\n'
        "        \" VALUES (gen_random_uuid(), $1, 'markdown-simple', '1', 0, 'half', '')\",\n"
        '        row["document_id"],\n'
        "    )\n",
    )


@fault("G64", "a repeated callback is refused, so LlamaParse keeps sending it", "api", "postdeploy")
def repeat_is_refused(plan: Plan) -> None:
    plan.replace_in_source("api/webhook.py", 'return {"status": "ignored"}', 'raise HTTPException(409, "not waiting")')


@fault("G65", "a 422 response echoes the password", "api/auth", "postdeploy")
def password_in_refusal(plan: Plan) -> None:
    plan.replace_in_source("api/application.py", "    app.add_exception_handler(RequestValidationError, _invalid)\n", "")
