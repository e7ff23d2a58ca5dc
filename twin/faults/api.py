"""Faults of the API: another release, or a change that should not have been made."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

LIMITS = '@router.get("/api/upload-pipeline/upload/limits")'


@fault(
    "F07",
    "the old commit is still live; an endpoint is missing",
    "api",
    "postdeploy",
    about="*release commit*|*release version*|*/documents/{document_id}/status*",
)
def stale_release(plan: Plan) -> None:
    plan.extra_env["api"] = {"RENDER_GIT_COMMIT": "0" * 40, "APP_VERSION": "0.9.0-staging"}
    plan.replace_in_source("api/jobs.py", '"/documents/{document_id}/status"', '"/documents/{document_id}/state"')


@fault("F19", "health is served from a cache that never expires", "api", "postdeploy", about="*health*")
def stale_health(plan: Plan) -> None:
    plan.replace_in_source(
        "api/health.py",
        '        "timestamp": _now(),\n        "version": config.version,\n        "services": services,',
        '        "timestamp": "2025-01-21T00:00:00+00:00",\n        "version": config.version,\n        "services": services,',
    )


@fault("F21", "the health body shows the connection string", "api", "postdeploy", about="*/health*")
def leaking_health(plan: Plan) -> None:
    plan.replace_in_source(
        "api/health.py", '"services": services,', '"services": services,\n        "database_url": config.database_url,'
    )


@fault("G08", "a debug page shows the environment", "api", "postdeploy", "contract", mode="F21", about="*/debug/env*")
def debug_page(plan: Plan) -> None:
    page = '@router.get("/debug/env")\nasync def debug_env() -> dict[str, str]:\n    import os\n\n'
    page += "    return dict(os.environ)\n\n\n"
    plan.replace_in_source("api/health.py", '@router.get("/api/v1/status")', page + '@router.get("/api/v1/status")')


@fault(
    "F22",
    "an unauthenticated test upload was left in the release",
    "api",
    "postdeploy",
    about="*/api/upload-pipeline/test-upload*",
)
def open_test_endpoint(plan: Plan) -> None:
    page = (
        '@router.post("/api/upload-pipeline/test-upload")\nasync def test_upload(request: Request) -> dict[str, str]:\n'
        '    return {"job_id": "00000000-0000-0000-0000-000000000000", "size": str(len(await request.body()))}\n\n\n'
    )
    plan.replace_in_source("api/uploads.py", LIMITS, page + LIMITS)


@fault("G09", "HEAD /health is refused", "api", "postdeploy", mode="-", about="*HEAD /health*")
def no_head(plan: Plan) -> None:
    plan.replace_in_source("api/health.py", '@router.head("/health")\n', "")


@fault(
    "G10",
    "responses have neither a request id nor a process time",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Request-ID*|*X-Process-Time*",
)
def untraceable(plan: Plan) -> None:
    plan.replace_in_source("api/application.py", "    app.add_middleware(RequestHeaders)\n", "")


@fault(
    "F31",
    "every request takes a fifth longer than in the last release, still within the target",
    "api",
    "performance",
    about="*task *",
)
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


@fault(
    "G49",
    "an id that is not a UUID causes a 500",
    "api",
    "contract",
    mode="-",
    about="*/api/upload-pipeline/jobs/{job_id}*",
    log="*invalid input for query argument*|*invalid UUID*",
)
def wrong_id_is_500(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "async def job(job_id: UUID, user", "async def job(job_id: str, user")


@fault(
    "G50",
    "the limits have another format than openapi.json describes",
    "api",
    "contract",
    mode="-",
    about="*/api/upload-pipeline/upload/limits*",
)
def undescribed_form(plan: Plan) -> None:
    plan.replace_in_source("api/schemas.py", "    max_file_size_bytes: int\n", "    max_file_size_bytes: list[int]\n")


@fault(
    "G51",
    "openapi.json is from another release: it describes CSV where JSON is returned",
    "api",
    "contract",
    mode="-",
    about="*openapi.json*|*own description*",
)
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


@fault(
    "G54",
    "process time is in milliseconds, and chat responses have the timestamp of another day",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Process-Time*|*/api/chat*",
)
def wrong_clocks(plan: Plan) -> None:
    plan.replace_in_source(
        "api/application.py", 'f"{time.perf_counter() - started:.6f}"', 'f"{(time.perf_counter() - started) * 1000:.6f}"'
    )
    plan.replace_in_source("api/chat.py", "datetime.now(UTC).isoformat()", "datetime(2024, 1, 1, tzinfo=UTC).isoformat()")


@fault(
    "G55",
    "every subdomain of the company is a trusted host",
    "network/api",
    "postdeploy",
    mode="F33|-",
    about="*host *accessa.ai*|*foreign hosts*",
)
def trusted_sub_domains(plan: Plan) -> None:
    plan.replace_in_source("api/application.py", '"staging-admin.accessa.ai", ', '"staging-admin.accessa.ai", "*.accessa.ai", ')


@fault(
    "G59", "JSON is sent as plain text", "api", "postdeploy", mode="-", about="*content-type*|*Content-Type*|*instead of JSON*"
)
def json_as_text(plan: Plan) -> None:
    kind = 'type("Text", (JSONResponse,), {"media_type": "text/plain"})'
    plan.replace_in_source("api/application.py", "app = FastAPI(title=", f"app = FastAPI(default_response_class={kind}, title=")


@fault(
    "G65",
    "a 422 response echoes the password",
    "api/auth",
    "postdeploy",
    mode="F21|-",
    about="*/register*|*/login*|*/auth/signup*",
)
def password_in_refusal(plan: Plan) -> None:
    plan.replace_in_source("api/application.py", "    app.add_exception_handler(RequestValidationError, _invalid)\n", "")
