"""Faults of releases that break a promise beyond the checklist, written without a look at the checks: answers and access."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"
QUEUE = "backend/workers/job_queue.py"
POLICIES = "supabase/migrations/20250103000000_row_level_security.sql"
STORAGE_POLICIES = "supabase/migrations/20250104000000_storage.sql"


@fault(
    "Z01",
    "a method that a path does not have is refused with plain text",
    "api",
    "postdeploy",
    mode="-",
    about="*405*|*method*|*Content-Type*|*text/plain*|*JSON*",
)
def plain_refusal(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "from fastapi.responses import JSONResponse\n",
        "from fastapi.responses import JSONResponse, PlainTextResponse, Response\n",
    )
    plan.replace_in_source(
        APPLICATION,
        "async def _other_method(request: Request, _: Exception) -> JSONResponse:",
        "async def _other_method(request: Request, _: Exception) -> Response:",
    )
    plan.replace_in_source(
        APPLICATION,
        '    return JSONResponse({"detail": "Method Not Allowed"}, status_code=405, headers={"Allow": allowed})',
        '    return PlainTextResponse("Method Not Allowed", status_code=405, headers={"Allow": allowed})',
    )


@fault(
    "Z02",
    "a refused token is repeated in the WWW-Authenticate header",
    "auth/api",
    "postdeploy",
    mode="F21|-",
    about="*WWW-Authenticate*|*token*",
)
def token_described(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("invalid or expired token") from error\n',
        '        refusal = _unauthorized("invalid or expired token")\n'
        '        hint = f\'Bearer error="invalid_token", error_description="not accepted: {token}"\'\n'
        '        refusal.headers = {"WWW-Authenticate": hint}\n'
        "        raise refusal from error\n",
    )


@fault(
    "Z03",
    "the event of the hand-over to LlamaParse, which its user can read, contains the webhook secret",
    "worker/database/webhook",
    "postdeploy",
    mode="-",
    about="*webhook_secret*|*webhook secret*|*secret*events*|*events*secret*|*events*payload*",
)
def secret_in_event(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "        await self._record(connection, job, status, {})\n",
        '        changed = {"state": state, "webhook_secret": webhook_secret, "progress": progress}\n'
        "        payload = {name: value for name, value in changed.items() if value is not None}\n"
        "        await self._record(connection, job, status, payload)\n",
    )


@fault(
    "Z04",
    "the list of jobs is kept for a minute, so it disagrees with the job's own route",
    "api",
    "postdeploy",
    mode="-",
    about="*jobs*|*list*",
)
def kept_list(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "from typing import Annotated", "import time\nfrom typing import Annotated")
    plan.replace_in_source(
        JOBS,
        "router = APIRouter()\n",
        "router = APIRouter()\nLIST_SECONDS = 60.0\n_lists: dict[tuple[Any, ...], tuple[float, dict[str, Any]]] = {}\n",
    )
    plan.replace_in_source(
        JOBS,
        '    """The caller\'s jobs, newest first."""\n',
        '    """The caller\'s jobs, newest first."""\n'
        "    key = (user.id, state, limit, offset)\n"
        "    at, kept = _lists.get(key, (0.0, {}))\n"
        "    if kept and time.monotonic() - at < LIST_SECONDS:\n"
        "        return kept\n",
    )
    plan.replace_in_source(
        JOBS,
        '    return {"jobs": [_view(row) for row in rows], "limit": limit, "offset": offset}\n',
        '    shown = {"jobs": [_view(row) for row in rows], "limit": limit, "offset": offset}\n'
        "    if rows:\n"
        "        _lists[key] = (time.monotonic(), shown)\n"
        "    return shown\n",
    )


@fault(
    "Z05",
    "last_uploaded of a duplicate is the time in Oregon, marked as UTC",
    "api",
    "postdeploy",
    mode="-",
    about="*last_uploaded*|*duplicate*",
)
def oregon_time(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS, "from uuid import UUID, uuid5\n", "from uuid import UUID, uuid5\nfrom zoneinfo import ZoneInfo\n"
    )
    plan.replace_in_source(
        UPLOADS,
        '            "last_uploaded": row["updated_at"].isoformat(),\n',
        '            "last_uploaded": f"{row[\'updated_at\'].astimezone(REGION):%Y-%m-%dT%H:%M:%SZ}",\n',
    )
    plan.replace_in_source(
        UPLOADS, "SIGNED_URL_TTL_SECONDS = 300\n", 'SIGNED_URL_TTL_SECONDS = 300\nREGION = ZoneInfo("America/Los_Angeles")\n'
    )


@fault(
    "Z06",
    "the answer about a completed job may be stored by every cache for a day",
    "api",
    "postdeploy",
    mode="-",
    about="*Cache-Control*|*cache*",
)
def cached_job(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(
        JOBS,
        "async def job(job_id: UUID, user: CurrentUser, request: Request) -> dict[str, Any]:",
        "async def job(job_id: UUID, user: CurrentUser, request: Request, response: Response) -> dict[str, Any]:",
    )
    plan.replace_in_source(
        JOBS,
        '        raise HTTPException(404, "no such job")\n    return _view(row)\n',
        '        raise HTTPException(404, "no such job")\n'
        '    if row["state"] == "done":\n'
        "        # It never changes again.\n"
        '        response.headers["Cache-Control"] = "public, max-age=86400, immutable"\n'
        "    return _view(row)\n",
    )


@fault(
    "Z07",
    "POST /auth/login sets a cookie with the access token that scripts can read",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*cookie*|*HttpOnly*",
)
def readable_cookie(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "Depends, HTTPException, Request\n", "Depends, HTTPException, Request, Response\n")
    plan.replace_in_source(
        AUTH,
        "async def auth_login(body: SignIn, request: Request) -> dict[str, Any]:\n"
        '    """Sign in; the body is validated by its schema."""\n'
        "    return await _sign_in(request, body.email, body.password)\n",
        "async def auth_login(body: SignIn, request: Request, response: Response) -> dict[str, Any]:\n"
        '    """Sign in; the body is validated by its schema."""\n'
        "    session = await _sign_in(request, body.email, body.password)\n"
        '    token, seconds = session["access_token"], session["expires_in"]\n'
        '    response.set_cookie("sb-access-token", token, max_age=seconds, secure=True, samesite="lax")\n'
        "    return session\n",
    )


@fault(
    "Z08",
    "users are remembered by the signed part of their token, so its signature is only looked at the first time",
    "auth/api",
    "postdeploy",
    mode="F25|-",
    about="*token*|*signature*",
)
def remembered_tokens(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH,
        "router = APIRouter()\n",
        "router = APIRouter()\nREMEMBERED_SECONDS = 30.0\n_verified: dict[str, tuple[float, dict[str, Any]]] = {}\n",
    )
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))\n",
        '    claims, _, _ = token.rpartition(".")\n'
        "    at, known = _verified.get(claims, (0.0, {}))\n"
        "    if known and time.monotonic() - at < REMEMBERED_SECONDS:\n"
        "        return known\n"
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))\n",
    )
    plan.replace_in_source(
        AUTH,
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n    return user\n',
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n'
        "    _verified[claims] = (time.monotonic(), user)\n"
        "    return user\n",
    )
