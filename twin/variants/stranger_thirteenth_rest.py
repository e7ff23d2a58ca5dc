"""Variants by a stranger, the thirteenth round: tokens, the health page and transport, the worker's processes."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_thirteenth import cut

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
HEALTH = "api/health.py"

KEYS = '''"""The project's published keys: what they have not signed is refused here, before Supabase Auth is asked."""

from __future__ import annotations

import logging
import time
from typing import Any

import httpx
import jwt
from backend.shared.config import Config

log = logging.getLogger("api")
KEPT_SECONDS, PAUSE_SECONDS = 600.0, 10.0
REQUIRED: Any = {"require": ["exp", "sub", "aud", "iss"], "verify_iat": False}


class KeySet:
    """The keys, fetched when they are old, or when a token names one that is not among them."""

    def __init__(self, config: Config, client: httpx.AsyncClient) -> None:
        self._issuer = f"{config.supabase_url}/auth/v1"
        self._headers = {"apikey": config.anon_key}
        self._client = client
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked = float("-inf")

    async def _find(self, kid: object) -> jwt.PyJWK | None:
        age = time.monotonic() - self._asked
        if age > KEPT_SECONDS or (kid not in self._keys and age > PAUSE_SECONDS):
            try:
                reply = await self._client.get(f"{self._issuer}/.well-known/jwks.json", headers=self._headers, timeout=5)
                found = reply.raise_for_status().json()["keys"]
                self._keys = {key["kid"]: jwt.PyJWK(key) for key in found}
                self._asked = time.monotonic()
            except (httpx.HTTPError, ValueError, LookupError, TypeError, jwt.PyJWTError) as error:
                log.warning("the keys of the project cannot be read: %s", type(error).__name__)
        return self._keys.get(kid) if isinstance(kid, str) else None

    async def check(self, token: str) -> None:
        """Raise jwt.PyJWTError for what is no access token of a user of this project."""
        header = jwt.get_unverified_header(token)
        key = await self._find(header.get("kid"))
        if not self._keys:
            return
        if key is None or header.get("alg") != key.algorithm_name or key.algorithm_name not in ("ES256", "RS256"):
            raise jwt.InvalidKeyError("not a key of this project")
        claims = jwt.decode(
            token, key.key, algorithms=[key.algorithm_name], audience="authenticated", issuer=self._issuer, options=REQUIRED
        )
        if claims.get("role") != "authenticated":
            raise jwt.InvalidTokenError("not the token of a user")
'''
CHECKED = """    client: Vendors = request.app.state.client
    try:
        await request.app.state.keys.check(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise _unauthorized("invalid or expired token") from error
    try:
        reply = await _asked(client.auth.get_user(token))
"""


@variant("M74", "tokens in RS256, which the API checks against the published keys before it asks Supabase Auth")
def keys_first(plan: Plan) -> None:
    plan.use_keys(opaque=True, algorithm="RS256")
    (plan.source / "api/keys.py").write_text(KEYS)
    start = "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user"
    cut(plan, AUTH, start, "(token))\n", CHECKED)
    plan.replace_in_source(AUTH, "from backend.shared.vendors", "import jwt\nfrom backend.shared.vendors")
    state = "        app.state.storage = Storage(app.state.client)\n"
    plan.replace_in_source(APPLICATION, state, state + "        app.state.keys = KeySet(config, app.state.client.http)\n")
    plan.replace_in_source(APPLICATION, "from api.request_log", "from api.keys import KeySet\nfrom api.request_log")
    plan.replace_in_source("requirements-prod.txt", "supabase>", "pyjwt[crypto]>=2.8,<3\nsupabase>")


FRESH = '''def _whole(value: Any) -> Any:
    if isinstance(value, dict) or value == "not_configured":
        return value
    error = None if value == "healthy" else value
    return {"status": "error" if error else value, "healthy": not error, "last_check": _now(), "error": error}


async def keep_fresh(app: Any) -> None:
    """Check all dependencies again and again, so that no caller waits for it; one who finds it old checks by himself."""
    while True:
        with suppress(Exception):
            _cache.update(body=await collect(SimpleNamespace(app=app)), at=time.monotonic())
        await asyncio.sleep(FRESH_SECONDS / app.state.config.speedup)


async def collect(request: Any)'''
TAGGED = '''"""How answers may be kept: private ones not at all; public ones are told by a tag whether they have changed."""

from __future__ import annotations

import hashlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PUBLIC = ("/", "/docs", "/openapi.json", "/api/upload-pipeline/upload/limits")


class Tagged:
    """Adds Cache-Control, and ETag where the whole body of a public page is at hand; answers 304 for one that is known."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_public = scope["method"] in ("GET", "HEAD") and scope["path"] in PUBLIC
        known = dict(scope["headers"]).get(b"if-none-match", b"")
        begun: list[Message] = []

        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                keep = b"no-cache" if is_public and message["status"] == 200 else b"private, no-store"
                message["headers"] = [*message["headers"], (b"cache-control", keep), (b"x-content-type-options", b"nosniff")]
                if is_public and message["status"] == 200 and scope["method"] == "GET":
                    begun.append(message)
                    return
            elif begun:
                await send(_start(begun.pop(), message, known))
                if known and message.get("tagged") == known:
                    message = {**message, "body": b""}
            await send({key: value for key, value in message.items() if key != "tagged"})

        await self.app(scope, receive, mark)


def _start(start: Message, body: Message, known: bytes) -> Message:
    if body.get("more_body"):
        return start
    tag = b'W/"' + hashlib.sha256(body["body"]).hexdigest()[:32].encode() + b'"'
    body["tagged"] = tag
    headers = [*start["headers"], (b"etag", tag)]
    if tag != known:
        return {**start, "headers": headers}
    kept = [pair for pair in headers if pair[0] not in (b"content-length", b"content-type")]
    return {**start, "status": 304, "headers": kept}
'''


@variant("M75", "the health is checked in the background; bodies in gzip, private answers unkept, public ones with tags")
def fresh_health(plan: Plan) -> None:
    plan.replace_in_source(HEALTH, "async def collect(request: Request)", FRESH)
    zipped = "dict(zip(names, values, strict=True))"
    plan.replace_in_source(HEALTH, zipped, "dict(zip(names, map(_whole, values), strict=True))")
    plan.replace_in_source(HEALTH, "CACHE_SECONDS = 30.0\n", "CACHE_SECONDS = 30.0\nFRESH_SECONDS = 20.0\n")
    imports = "from contextlib import suppress\nfrom datetime import UTC, datetime\nfrom types import SimpleNamespace\n"
    plan.replace_in_source(HEALTH, "from datetime import UTC, datetime\n", imports)
    pool = "        app.state.pool = await open_pool(config)\n        yield\n"
    kept = "        app.state.fresh = asyncio.create_task(health.keep_fresh(app))\n"
    ended = "        app.state.fresh.cancel()\n"
    plan.replace_in_source(APPLICATION, pool, pool.replace("        yield\n", f"{kept}        yield\n{ended}"))
    (plan.source / "api/tagged.py").write_text(TAGGED)
    log = "    app.add_middleware(RequestLog)\n"
    packed = "    app.add_middleware(Tagged)\n    app.add_middleware(GZipMiddleware, minimum_size=400)\n"
    plan.replace_in_source(APPLICATION, log, packed + log)
    plan.replace_in_source(APPLICATION, "import RequestLog\n", "import RequestLog\nfrom api.tagged import Tagged\n")
    other = "from starlette.middleware.gzip import GZipMiddleware\nfrom starlette.middleware.trustedhost"
    plan.replace_in_source(APPLICATION, "from starlette.middleware.trustedhost", other)
