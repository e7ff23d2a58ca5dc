"""The faults that change the API's code, made for this API: the defect that is seen from outside is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twin.plan import Plan

Apply = Callable[[Plan], None]
CHANGES: dict[str, Callable[[Any], None]] = {}
ACCOUNTS, CALLBACKS, CHAT, CONDITION = "api/accounts.py", "api/callbacks.py", "api/chat.py", "api/condition.py"
CONTEXT, DESCRIPTION, EDGE, JOBS = "api/context.py", "api/description.py", "api/edge.py", "api/jobs.py"
SETTINGS, UPLOADS = "api/settings.py", "api/uploads.py"
ASK_SUPABASE = '    reply = await request.app[UPSTREAM].auth("GET", "/user", token)\n'
STATUS = '@routes.get("/api/v1/status")\n'
LIMITS = '@routes.get("/api/upload-pipeline/upload/limits")\n'


def instead_of(id: str) -> Callable[[Apply], Apply]:
    """The decorated function takes the place of the change that this fault makes in the ordinary release."""

    def decorate(apply: Apply) -> Apply:
        CHANGES[id] = apply
        return apply

    return decorate


def _describe(plan: Plan, path: str, method: str) -> None:
    # FastAPI describes each route by itself, so the ordinary release also lists those that should not be there.
    entry = f'            "{path}": {{"{method}": _page("left over", "application/json")}},\n'
    plan.replace_in_source(DESCRIPTION, "            **_accounts(),\n", entry + "            **_accounts(),\n")


@instead_of("F08")
def _token_failure_is_500(plan: Plan) -> None:
    plan.replace_in_source(
        CONTEXT,
        "len(token) > LONGEST_TOKEN or not TOKEN.fullmatch(token):\n        raise unauthorized()\n",
        "not token:\n        raise unauthorized()\n"
        "    if len(token) > LONGEST_TOKEN or not TOKEN.fullmatch(token):\n"
        '        raise RuntimeError("invalid or expired token")\n',
    )
    plan.replace_in_source(
        CONTEXT,
        "reply.status != 429:\n        raise unauthorized()\n",
        'reply.status != 429:\n        raise RuntimeError("invalid or expired token")\n',
    )


@instead_of("G07")
def _valid_token_refused(plan: Plan) -> None:
    plan.replace_in_source(CONTEXT, "        return user_of(reply.data)\n", "        raise unauthorized()\n")


@instead_of("F25")
def _unchecked_tokens(plan: Plan) -> None:
    lazy = (
        "    import base64\n    import json\n\n"
        "    try:\n"
        '        part = token.split(".")[1]\n'
        '        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))\n'
        '        return user_of({"id": claims["sub"], "email": claims.get("email", "")})\n'
        "    except (AttributeError, KeyError, TypeError, ValueError):\n"
        "        raise unauthorized() from None\n"
    )
    plan.replace_in_source(CONTEXT, ASK_SUPABASE, lazy + ASK_SUPABASE)


@instead_of("G15")
def _login_breaks(plan: Plan) -> None:
    plan.replace_in_source(
        ACCOUNTS,
        'raise ApiError(401, "invalid_credentials", "the e-mail address or the password is wrong", WWW_Authenticate="Bearer")',
        'raise RuntimeError("wrong e-mail or password")',
    )


@instead_of("F09")
def _other_user_id(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "NEAREST, user.id,", "NEAREST, uuid.uuid5(uuid.NAMESPACE_URL, user.email),")


@instead_of("F02")
def _apology_without_keys(plan: Plan) -> None:
    plan.extra_env["api"] = {"OPENAI_API_KEY": "revoked-openai-key-of-staging", "ANTHROPIC_API_KEY": ""}
    sorry = (
        "    try:\n"
        "        rows = await _passages(request, user, await _embedding(request, message))\n"
        "    except ApiError:\n"
        '        sorry = "I am sorry, I cannot answer that right now."\n'
        '        failure = {"error_type": "AuthenticationError", "agent_sources": ["system"], "confidence": 0.0}\n'
        '        failure["processing_time"] = round(time.perf_counter() - started, 4)\n'
        '        conversation = body.get("conversation_id") or str(uuid.uuid4())\n'
        "        when = moment(datetime.now(UTC))\n"
        '        told = {"text": sorry, "response": sorry, "conversation_id": conversation, "timestamp": when}\n'
        '        return web.json_response(told | {"metadata": failure, "sources": ["system"], "success": True})\n'
    )
    plan.replace_in_source(CHAT, "    rows = await _passages(request, user, await _embedding(request, message))\n", sorry)


@instead_of("F16")
def _fallback_always(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        'await _answer(request, message, body.get("user_language") or "en", rows)',
        '"Insurance plans differ. Your plan documents hold the details you need."',
    )
    plan.replace_in_source(CHAT, '["retrieval", "openai"]', '["retrieval", "fallback"]')


@instead_of("G33")
def _forgetful_chat(plan: Plan) -> None:
    plan.replace_in_source(CHAT, 'body.get("conversation_id") or str(uuid.uuid4())', "str(uuid.uuid4())")
    plan.replace_in_source(CHAT, '        "processing_time": round(time.perf_counter() - started, 4),\n', "")


@instead_of("F19")
def _stale_health(plan: Plan) -> None:
    plan.replace_in_source(
        CONDITION,
        '"timestamp": moment(datetime.now(UTC)),\n        "services": services,',
        '"timestamp": "2025-01-21T00:00:00.000Z",\n        "services": services,',
    )


@instead_of("F21")
def _leaking_health(plan: Plan) -> None:
    shown = '"services": services,\n        "database_url": app[SETTINGS].database_url,'
    plan.replace_in_source(CONDITION, '"services": services,', shown)


@instead_of("G08")
def _debug_page(plan: Plan) -> None:
    page = '@routes.get("/debug/env")\nasync def debug_env(_: web.Request) -> web.Response:\n    import os\n\n'
    page += "    return web.json_response(dict(os.environ))\n\n\n"
    plan.replace_in_source(CONDITION, STATUS, page + STATUS)
    _describe(plan, "/debug/env", "get")


@instead_of("G09")
def _no_head(plan: Plan) -> None:
    plan.replace_in_source(CONDITION, '@routes.get("/health")', '@routes.get("/health", allow_head=False)')
    described = ', "head": {"summary": "health, without its body", **head}'
    plan.replace_in_source(DESCRIPTION, described, "")


@instead_of("F22")
def _open_test_endpoint(plan: Plan) -> None:
    path = "/api/upload-pipeline/test-upload"
    page = (
        f'@routes.post("{path}")\nasync def test_upload(request: web.Request) -> web.Response:\n'
        '    body = {"job_id": "00000000-0000-0000-0000-000000000000", "size": str(len(await request.read()))}\n'
        "    return web.json_response(body)\n\n\n"
    )
    plan.replace_in_source(UPLOADS, LIMITS, page + LIMITS)
    _describe(plan, path, "post")


@instead_of("F34")
def _no_limits(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "        if size > MAX_BYTES:\n", "        if size > 2**40:\n")
    plan.replace_in_source(UPLOADS, "    if await connection.fetchval(RUNNING, user.id) >= MAX_RUNNING:\n", "    if False:\n")
    plan.replace_in_source(UPLOADS, "    if await connection.fetchval(TODAY, user.id) >= MAX_A_DAY:\n", "    if False:\n")


@instead_of("G13")
def _duplicates_accepted(plan: Plan) -> None:
    check = "        if row := await connection.fetchrow(SAME, user.id, wanted.sha256):\n            return _duplicate(row)\n"
    plan.replace_in_source(UPLOADS, check, "")


@instead_of("G31")
def _careless_routes(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        r'not re.fullmatch(rf"user/{user.id}/raw/[A-Za-z0-9_-]+\.pdf", key):',
        '".." in key.split("/") or not key.isprintable():',
    )
    plan.replace_in_source(JOBS, '"cost_cents": 0,', '"cost_cents": 0,\n        "webhook_secret": "shown",')


@instead_of("G32")
def _wrong_rows(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "MIME, wanted.size, wanted.sha256, path)", "MIME, wanted.size + 1, wanted.sha256, listed)")
    plan.replace_in_source(
        UPLOADS,
        '    path = path_of(user.id, document, "raw", "pdf")\n',
        '    path = path_of(user.id, document, "raw", "pdf")\n    listed = "old" + path.removeprefix(BUCKET)\n',
    )
    plan.replace_in_source(CALLBACKS, "hashlib.sha256(text).hexdigest()", 'hashlib.sha256(b"").hexdigest()')
    plan.sql.append("ALTER TABLE upload_pipeline.upload_jobs ALTER embed_version SET DEFAULT '2'")


@instead_of("G12")
def _unsigned_webhook(plan: Plan) -> None:
    plan.replace_in_source(CALLBACKS, "    if not secret:\n        return False\n", "    return True\n")


@instead_of("G10")
def _untraceable(plan: Plan) -> None:
    plan.replace_in_source(
        EDGE,
        '    response.headers["X-Request-ID"] = given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex\n'
        '    response.headers["X-Process-Time"] ='
        " f\"{time.perf_counter() - request.get('started', time.perf_counter()):.6f}\"\n",
        "",
    )


@instead_of("G22")
def _every_origin(plan: Plan) -> None:
    plan.replace_in_source(EDGE, 'if request.headers["Origin"] not in origins:', "if False:")
    plan.replace_in_source(EDGE, "if origin in request.app[SETTINGS].origins:", "if origin is not None:")


@instead_of("F33")
def _any_host(plan: Plan) -> None:
    plan.replace_in_source(SETTINGS, "hosts=(*TRUSTED_HOSTS, *LOCAL_HOSTS, own_host),", 'hosts=("*",),')


@instead_of("G83")
def _stalled_post(plan: Plan) -> None:
    plan.replace_in_source(EDGE, "import logging\n", "import asyncio\nimport logging\n")
    stall = '    if (request.method, request.path) == ("POST", "/api/upload-pipeline/upload"):\n'
    stall += "        await asyncio.sleep(3600)\n"
    handle = "    return await _handled(request, handler)\n"
    plan.replace_in_source(EDGE, handle, stall + handle)
