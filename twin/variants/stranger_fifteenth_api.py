"""Variants by somebody who has not read the checks, fifteenth time: another surface of the API, and what it remembers."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_twelfth import rewrite

APPLICATION = "api/application.py"
CHAT = "api/chat.py"
HEALTH = "api/health.py"
JOBS = "api/jobs.py"
DESCRIPTION = "api/description.py"

PROBLEMS = '''class Problem(JSONResponse):
    """A refusal in the form of RFC 9457; the reason is its `detail`."""

    media_type = "application/problem+json"


def _problem(status: int, members: dict[str, object], headers: Mapping[str, str] | None = None) -> Problem:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, **members}
    if request_id := REQUEST_ID.get():
        body["request_id"] = request_id
    return Problem(body, status_code=status, headers=headers)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    if error.status_code >= 500:
        log.error("%s: %r", error.detail, error.__cause__)
    detail: object = error.detail
    return _problem(error.status_code, detail if isinstance(detail, dict) else {"detail": detail}, error.headers)


'''


AS_PROBLEMS = (
    (APPLICATION, 'JSONResponse({"detail": "internal error"}, status_code=500)', '_problem(500, {"detail": "internal error"})'),
    (
        APPLICATION,
        'JSONResponse({"detail": "temporarily unavailable"}, status_code=503, headers={"Retry-After": "1"})',
        '_problem(503, {"detail": "temporarily unavailable"}, {"Retry-After": "1"})',
    ),
    (
        APPLICATION,
        'JSONResponse({"detail": "Method Not Allowed"}, status_code=405, headers={"Allow": allowed})',
        '_problem(405, {"detail": "Method Not Allowed"}, {"Allow": allowed})',
    ),
    (APPLICATION, "add_exception_handler(HTTPException, _refused)", "add_exception_handler(StarletteHTTPException, _refused)"),
    (APPLICATION, "from fastapi import FastAPI, HTTPException, Request", "from fastapi import FastAPI, Request"),
    (
        APPLICATION,
        "from starlette.middleware.cors import",
        "from starlette.exceptions import HTTPException as StarletteHTTPException\nfrom starlette.middleware.cors import",
    ),
    (APPLICATION, "from collections.abc import AsyncIterator\n", "from collections.abc import AsyncIterator, Mapping\n"),
    (APPLICATION, "from urllib.parse import urlsplit\n", "from http import HTTPStatus\nfrom urllib.parse import urlsplit\n"),
    (
        DESCRIPTION,
        '    return {"content": {JSON: {"schema":',
        "    media = PROBLEM if model in (schemas.Refusal, schemas.DuplicateDocument) else JSON\n"
        '    return {"content": {media: {"schema":',
    ),
    (DESCRIPTION, 'JSON = "application/json"\n', 'JSON = "application/json"\nPROBLEM = "application/problem+json"\n'),
)


@variant("M105", "refusals are problem details (RFC 9457) with the request's id, and the description says so")
def problem_details(plan: Plan) -> None:
    rewrite(plan, APPLICATION, "async def _refused(", "async def _invalid(", PROBLEMS)
    for path, old, new in AS_PROBLEMS:
        plan.replace_in_source(path, old, new)


TIMES = '''"""Times as the API writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def written(moment: datetime) -> str:
    """In UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
'''
LISTED = """    rows = await request.app.state.pool.fetch(
        f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "
        "WHERE d.user_id = $1 AND ($2::text IS NULL OR j.state = $2) "
        "ORDER BY j.created_at DESC, j.job_id LIMIT $3 + 1 OFFSET $4",
        user.id,
        state,
        limit,
        offset,
    )
    has_more = len(rows) > limit
    if has_more:
        following = request.url.include_query_params(limit=limit, offset=offset + limit)
        response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return {"jobs": [_view(row) for row in rows[:limit]], "limit": limit, "offset": offset, "has_more": has_more}


"""
SORTED = '''class SortedJSON(JSONResponse):
    """Keys in order, and nothing but ASCII."""

    def render(self, content: object) -> bytes:
        """The body."""
        return json.dumps(content, allow_nan=False, sort_keys=True, indent=1).encode()


def create_app('''


ON_THE_SURFACE = (
    (
        JOBS,
        "    user: CurrentUser,\n    request: Request,\n    limit:",
        "    user: CurrentUser,\n    request: Request,\n    response: Response,\n    limit:",
    ),
    (JOBS, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n"),
    (
        "api/schemas.py",
        "    jobs: list[Job]\n    limit: int\n    offset: int\n",
        "    jobs: list[Job]\n    limit: int\n    offset: int\n    has_more: bool\n",
    ),
    (APPLICATION, "def create_app(", SORTED),
    (
        APPLICATION,
        "version=config.version, lifespan=lifespan)",
        "version=config.version, lifespan=lifespan, default_response_class=SortedJSON)",
    ),
    (APPLICATION, "import asyncio\nimport logging\n", "import asyncio\nimport json\nimport logging\n"),
    (
        APPLICATION,
        "    app.add_middleware(RequestLog)\n",
        "    app.add_middleware(GZipMiddleware, minimum_size=400)\n    app.add_middleware(RequestLog)\n",
    ),
    (
        APPLICATION,
        "from starlette.middleware.trustedhost import",
        "from starlette.middleware.gzip import GZipMiddleware\nfrom starlette.middleware.trustedhost import",
    ),
    (
        APPLICATION,
        '                    (b"x-request-id", request_id.encode()),\n',
        '                    (b"x-request-id", request_id.encode()),\n'
        '                    (b"cache-control", b"private, no-store"),\n'
        '                    (b"x-content-type-options", b"nosniff"),\n'
        '                    (b"referrer-policy", b"no-referrer"),\n',
    ),
)


@variant("M106", "times to the second with Z, job lists that say whether there is more, gzip, indented JSON in ASCII, no-store")
def another_surface(plan: Plan) -> None:
    (plan.source / "api/times.py").write_text(TIMES)
    for path, name in (
        (JOBS, 'row["created_at"]'),
        (JOBS, 'row["updated_at"]'),
        ("api/uploads.py", 'row["updated_at"]'),
        ("api/uploads.py", "expires"),
        (HEALTH, "datetime.now(UTC)"),
        (CHAT, "datetime.now(UTC)"),
    ):
        plan.replace_in_source(path, f"{name}.isoformat()", f"written({name})")
    plan.replace_in_source(
        JOBS, "from api.auth import CurrentUser\n", "from api.auth import CurrentUser\nfrom api.times import written\n"
    )
    plan.replace_in_source(
        "api/uploads.py",
        "from api.auth import Caller, CurrentUser\n",
        "from api.auth import Caller, CurrentUser\nfrom api.times import written\n",
    )
    plan.replace_in_source(
        CHAT,
        "from api.retrieval import Passage, retrieve\n",
        "from api.retrieval import Passage, retrieve\nfrom api.times import written\n",
    )
    plan.replace_in_source(HEALTH, "router = APIRouter()\n", "from api.times import written\n\nrouter = APIRouter()\n")
    rewrite(
        plan,
        JOBS,
        "    rows = await request.app.state.pool.fetch(",
        '@router.post("/api/upload-pipeline/jobs/{job_id}/retry")',
        LISTED,
    )
    for path, old, new in ON_THE_SURFACE:
        plan.replace_in_source(path, old, new)
