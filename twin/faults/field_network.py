"""Faults that were seen in the field: connections, proxies, caches, limits and clocks."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
HEALTH = "api/health.py"
UPLOADS = "api/uploads.py"
# Nothing listens on the discard port, so connections are refused at once.
REFUSING = "localhost:9"

CACHED_IDENTITY = '''_cached: dict[str, Any] = {}


@router.get("/me")
async def cached_me(request: Request) -> dict[str, Any]:
    """The signed-in user, from a cache."""
    if time.monotonic() - _cached.get("at", float("-inf")) > 30:
        body = await me(await current_user(request))
        _cached.update(body=body, at=time.monotonic())
    return _cached["body"]


'''


def _set_in_process(plan: Plan, name: str, value: str) -> None:
    """Set a variable of the API's process only; the declared environments and the operator's stay right."""
    plan.extra_env.setdefault("api", {})[name] = value


@fault("G78", "the operator's file lacks RENDER_API_KEY", "render/configuration", "predeploy", mode="-", about="RENDER_API_KEY")
def no_render_key(plan: Plan) -> None:
    plan.config.operator_env.pop("RENDER_API_KEY")


@fault(
    "G79",
    "the API cannot connect to OpenAI",
    "openai",
    "postdeploy",
    mode="-",
    about="OpenAI|openai|answer|/chat",
    log="*openai unreachable*",
)
def model_unreachable(plan: Plan) -> None:
    _set_in_process(plan, "OPENAI_BASE_URL", f"https://{REFUSING}/v1")


@fault(
    "G80",
    "the API cannot connect to storage",
    "storage",
    "postdeploy",
    mode="-",
    about="upload|storage|bucket",
    log="*storage did not sign*",
)
def storage_unreachable(plan: Plan) -> None:
    _set_in_process(plan, "SUPABASE_STORAGE_URL", f"https://{REFUSING}/storage/v1")


@fault(
    "G81",
    "the API starts but cannot connect to the database",
    "database",
    "postdeploy",
    mode="-|F10",
    about="database",
    log="*ConnectionRefusedError*|*Connect call failed*",
)
def database_unreachable(plan: Plan) -> None:
    # The pool connects at the first query, not at start-up.
    plan.replace_in_source("backend/shared/database.py", "min_size=1,", "min_size=0,")
    declared = plan.config.api_env["DATABASE_URL"]
    _set_in_process(plan, "DATABASE_URL", declared.replace(f"localhost:{plan.config.ports['postgres']}", REFUSING))


@fault(
    "G82", "a proxy returns 502 with a JSON body for one request in five", "network/api", "postdeploy", mode="-", about="502"
)
def json_502(plan: Plan) -> None:
    plan.config.behaviour["proxy"] = {"kind": "json_bad_gateway", "every": 5}


@fault("G83", "requests for an upload get no response", "api", "postdeploy", mode="-", about="POST /api/upload-pipeline/upload")
def stalled_post(plan: Plan) -> None:
    plan.replace_in_source(APPLICATION, "import time\n", "import asyncio\nimport time\n")
    stall = '        if (scope["method"], scope["path"]) == ("POST", "/api/upload-pipeline/upload"):\n'
    stall += "            await asyncio.sleep(3600)\n"
    start = "        started = time.perf_counter()\n"
    plan.replace_in_source(APPLICATION, start, stall + start)


@fault(
    "G84",
    "`/me` is cached for 30 s and returns the first caller's identity to everybody",
    "api/auth",
    "postdeploy",
    mode="-",
    about="/me",
)
def cached_identity(plan: Plan) -> None:
    plan.replace_in_source("api/auth.py", "import re\n", "import re\nimport time\n")
    plan.replace_in_source("api/auth.py", '@router.get("/me")\n', CACHED_IDENTITY)


@fault(
    "G85",
    "uploads over 1 MiB are refused although 5 MiB are published",
    "api",
    "postdeploy",
    mode="-",
    about="max_file_size|limit",
)
def limit_too_strict(plan: Plan) -> None:
    for size in ("body.bytes_len", "len(body)"):
        plan.replace_in_source(UPLOADS, f"if {size} > MAX_FILE_SIZE_BYTES:", f"if {size} > 1024 * 1024:")


@fault("G86", "the timestamp of `/health` is an hour ahead", "api", "postdeploy", mode="-", about="timestamp")
def clock_ahead(plan: Plan) -> None:
    plan.replace_in_source(HEALTH, "from datetime import UTC, datetime\n", "from datetime import UTC, datetime, timedelta\n")
    rest = '        "version": config.version,\n        "services": services,'
    ahead = "(datetime.now(UTC) + timedelta(hours=1)).isoformat()"
    plan.replace_in_source(HEALTH, f'        "timestamp": _now(),\n{rest}', f'        "timestamp": {ahead},\n{rest}')


@fault("G87", "one request in five ends with a connection reset", "network/api", "postdeploy", mode="-", about="connection")
def resets(plan: Plan) -> None:
    plan.config.behaviour["proxy"] = {"kind": "reset", "every": 5}


@fault(
    "G68",
    "the CORS origins are fixed in the code; CORS_ORIGINS is right but not used",
    "network/api",
    "postdeploy",
    mode="F20",
    about="origin|front end",
)
def fixed_origins(plan: Plan) -> None:
    fixed = '["http://localhost:3000", "https://staging.accessa.ai"]'
    plan.replace_in_source(APPLICATION, "allow_origins=list(config.cors_origins)", f"allow_origins={fixed}")


@fault(
    "G77",
    "LlamaParse sends no callback at all; the public base URL is right",
    "webhook/llamaparse",
    "postdeploy",
    mode="F12|F13|-",
    about="parse_queued",
)
def no_callbacks(plan: Plan) -> None:
    plan.config.behaviour["llamaparse"] = {"lose": 1}
