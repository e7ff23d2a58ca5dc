"""A stranger's variants of the API's answers: caching, headers, ids, times, listings, refusals; each says what allows it."""

from __future__ import annotations

from typing import Any

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write
from twin.variants.release import APPLICATION, OUTERMOST, reshape, retouch
from twin.variants.reshaped import Headers

JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"
SCHEMAS = "api/schemas.py"
WORKER = "backend/workers/enhanced_base_worker.py"
VALIDATED = '''"""Says of every answer who may keep it, and answers 304 to whoever has it already."""

from __future__ import annotations

import hashlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PUBLIC = {"/", "/docs", "/openapi.json", "/api/upload-pipeline/upload/limits"}
FRESH = {"/health", "/api/v1/status"}


def _rule(method: str, path: str, status: int) -> bytes:
    if method not in ("GET", "HEAD") or status >= 400 or path in FRESH:
        return b"no-store"
    return b"public, max-age=60" if path in PUBLIC else b"private, no-cache"


class Validated:
    """Adds Cache-Control to every answer, and a weak ETag to what was read successfully."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                await self._pass_on(scope, start, bytes(body), send)

        await self.app(scope, receive, hold)

    async def _pass_on(self, scope: Scope, start: Message, body: bytes, send: Send) -> None:
        rule = _rule(scope["method"], scope["path"], start["status"])
        headers = [*start["headers"], (b"cache-control", rule)]
        if rule.startswith(b"private"):
            headers.append((b"vary", b"Authorization"))
        if scope["method"] == "GET" and start["status"] == 200 and rule != b"no-store":
            tag = b'W/"%s"' % hashlib.sha256(body).hexdigest()[:20].encode()
            headers.append((b"etag", tag))
            if dict(scope["headers"]).get(b"if-none-match") == tag:
                kept = [pair for pair in headers if pair[0].lower() not in (b"content-length", b"content-type")]
                await send({"type": "http.response.start", "status": 304, "headers": kept})
                await send({"type": "http.response.body", "body": b""})
                return
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": body})
'''
HEAD = '''"""HEAD is served wherever GET is, by the same rules."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Answers HEAD as GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                if message.get("more_body"):
                    return
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, without_body)
'''
ULID = '''def _ulid() -> str:
    """A new id that sorts by time, in Crockford's letters."""
    number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> shift & 31] for shift in range(125, -1, -5))


class RequestHeaders:'''
UUID7 = '''

def _uuid7() -> str:
    """A version 7 id: milliseconds, then chance."""
    number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    return str(uuid.UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))


def _body('''


@variant("X01", "private answers may be kept by their reader's browser only, which asks each time and may be told 304")
def validated_answers(plan: Plan) -> None:
    """Issue 17: shared caches may not store private answers (`private`); field: extra headers are nobody's business."""
    write(plan, "api/validated.py", VALIDATED)
    lines = "    from api.validated import Validated\n\n    app.add_middleware(Validated)\n"
    plan.replace_in_source(APPLICATION, OUTERMOST, lines + OUTERMOST)


def _careful_headers(method: str, path: str, status: int, headers: Headers) -> tuple[int, Headers]:
    import secrets

    spent = next((float(value) for name, value in headers if name == b"x-process-time"), 0.0)
    found = [
        *headers,
        (b"strict-transport-security", b"max-age=63072000; includeSubDomains; preload"),
        (b"referrer-policy", b"no-referrer"),
        (b"permissions-policy", b"camera=(), geolocation=(), interest-cohort=()"),
        (b"server-timing", b'app;dur=%.1f;desc="whole request", edge' % (1000 * spent)),
    ]
    if (b"content-type", b"application/json") in headers:
        found.append((b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"))
    if path in ("/login", "/auth/login"):
        rest = b"; path=/; samesite=strict; httponly; secure"
        keep = secrets.token_hex(8).encode() + b"; max-age=31536000" if status == 200 else b"; max-age=0"
        found.append((b"set-cookie", b"__Host-device=" + keep + rest))
        old = b"; expires=Thu, 01 Jan 1970 00:00:00 GMT"
        found.append((b"set-cookie", b"__Secure-old=" + old + rest))
    return status, found


@variant(
    "X03", "careful headers on every answer; signing in sets a device's cookie and clears another, in lower-case attributes"
)
def careful_headers(plan: Plan) -> None:
    """Field: extra headers are nobody's business; issue 17: cookies are Secure, HttpOnly, SameSite (RFC 6265: in any case)."""
    retouch(plan, _careful_headers)


@variant("X04", "request ids are the service's own ULIDs, also where the caller brings one; process times have nine digits")
def own_request_ids(plan: Plan) -> None:
    """Contract: every response carries X-Request-ID and X-Process-Time (seconds); that a caller chooses the id is not said."""
    plan.replace_in_source(APPLICATION, "import logging\nimport time\n", "import logging\nimport secrets\nimport time\n")
    plan.replace_in_source(
        APPLICATION, '        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")\n', ""
    )
    plan.replace_in_source(
        APPLICATION, "given if 0 < len(given) <= 64 and given.isprintable() else str(uuid.uuid4())", "_ulid()"
    )
    plan.replace_in_source(APPLICATION, "class RequestHeaders:", ULID)
    plan.replace_in_source(APPLICATION, ":.6f}", ":.9f}")


@variant("X05", "ids of jobs and conversations are UUIDs of version 7, those of chunks are random")
def other_uuids(plan: Plan) -> None:
    """Contract, Database: document_id is UUIDv5; job_id and chunk_id are uuid, of no named version."""
    plan.sql.append("ALTER TABLE upload_pipeline.upload_jobs ALTER COLUMN job_id SET DEFAULT uuidv7()")
    plan.replace_in_source(WORKER, "from uuid import UUID, uuid5\n", "from uuid import UUID, uuid4\n")
    plan.replace_in_source(
        WORKER, "uuid5(NAMESPACE, f\"{job['document_id']}:{CHUNKER_NAME}:{CHUNKER_VERSION}:{number}\")", "uuid4()"
    )
    chat = "api/chat.py"
    plan.replace_in_source(chat, "import logging\n", "import logging\nimport secrets\n")
    plan.replace_in_source(chat, "str(uuid.uuid4())", "_uuid7()")
    plan.replace_in_source(chat, "\n\ndef _body(", UUID7)


def _oregon_times(method: str, path: str, status: int, body: Any) -> Any:
    import json
    import re
    from datetime import datetime, timedelta, timezone

    if path == "/openapi.json":
        return body

    def local(found: re.Match[str]) -> str:
        text = datetime.fromisoformat(found[0]).astimezone(timezone(timedelta(hours=-8))).isoformat(timespec="microseconds")
        return re.sub(r"\.?0*-08:00$", "-08:00", text)

    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", local, json.dumps(body))


@variant("X06", "times are Oregon's, eight hours behind, with as many digits of a fraction as there are")
def oregon_times(plan: Plan) -> None:
    """Contract: times are named in no form; field: with and without fractions. RFC 3339 allows any offset."""
    reshape(plan, _oregon_times)


@variant("X07", "jobs are listed oldest first, at most 500 a page, with their number and the next page")
def oldest_first(plan: Plan) -> None:
    """Contract: GET …/jobs?limit&offset&state lists the caller's jobs only; neither an order nor a largest page is named."""
    plan.replace_in_source(JOBS, "ORDER BY j.created_at DESC LIMIT $3", "ORDER BY j.created_at, j.job_id LIMIT $3")
    plan.replace_in_source(JOBS, "jobs, newest first", "jobs, oldest first")
    plan.replace_in_source(SCHEMAS, "jobs, newest first", "jobs, oldest first")
    plan.replace_in_source(JOBS, "Query(ge=1, le=100)", "Query(ge=1, le=500)")
    plan.replace_in_source(JOBS, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(JOBS, "    request: Request,\n", "    request: Request,\n    response: Response,\n")
    plan.replace_in_source(
        JOBS,
        '    return {"jobs": [_view(row) for row in rows], "limit": limit, "offset": offset}\n',
        "    total = await request.app.state.pool.fetchval(\n"
        '        "SELECT count(*) FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '        "WHERE d.user_id = $1 AND ($2::text IS NULL OR j.state = $2)",\n'
        "        user.id,\n        state,\n    )\n"
        '    response.headers["X-Total-Count"] = str(total)\n'
        '    following = request.url.include_query_params(offset=offset + limit).query if offset + limit < total else ""\n'
        '    further = f"{request.url.path}?{following}" if following else None\n'
        '    page = {"limit": limit, "offset": offset, "total": total, "next": further}\n'
        '    return {"jobs": [_view(row) for row in rows], **page}\n',
    )


@variant("X08", "HEAD is answered wherever GET is, by the same rules")
def head_everywhere(plan: Plan) -> None:
    """Field: extra routes are nobody's business; RFC 9110 has HEAD go with GET. Tokens are asked for as ever."""
    write(plan, "api/head.py", HEAD)
    lines = "    from api.head import HeadAsGet\n\n    app.add_middleware(HeadAsGet)\n"
    plan.replace_in_source(APPLICATION, "    own_host = urlsplit", f"{lines}    own_host = urlsplit")
    plan.replace_in_source(
        APPLICATION,
        "filter(is_allowed, METHODS)",
        'name for name in METHODS if is_allowed("GET" if name == "HEAD" else name)',
    )


def _for_any_page(method: str, path: str, status: int, body: Any) -> Any:
    import json

    text = json.dumps(body, indent=2, sort_keys=True)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.replace("/", "\\/") + "\n"


@variant("X09", "JSON is indented, sorted, in ASCII, and escapes what has a meaning in HTML: <, >, & and /")
def json_for_any_page(plan: Plan) -> None:
    """Contract, HTTP API: `JSON unless said`; RFC 8259 lets any character be escaped, and any white space stand."""
    reshape(plan, _for_any_page)
