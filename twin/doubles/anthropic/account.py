"""Who asks, and what every response carries: keys, versions, request ids, rate limits, and the twin's planted behaviour."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twin.config import TwinConfig
from twin.doubles.anthropic.errors import RefusedError
from twin.doubles.web import bearer, same

Handler = Callable[[Request], Awaitable[Response]]
VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")
ORGANIZATION = "8a2c4e4f-0000-4000-8000-000000000001"
MEGABYTE = 1024 * 1024
LIMITS = {"/v1/messages/batches": 256 * MEGABYTE, "/v1/files": 500 * MEGABYTE}
DEFAULT_LIMIT = 32 * MEGABYTE
PER_MINUTE = {"requests": 4_000, "tokens": 480_000, "input-tokens": 400_000, "output-tokens": 80_000}
PLANTED = {
    402: "Your credit balance is too low to access the API.",
    403: "Your API key does not have permission to use the specified resource.",
    429: "This request would exceed your organization's rate limit.",
    529: "Overloaded",
}


async def object_of(request: Request) -> dict[str, Any]:
    """The request's JSON object; raises RefusedError."""
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise RefusedError(f"The request body is not valid JSON: {error}") from None
    if not isinstance(body, dict):
        raise RefusedError("Input should be an object")
    return body


class Account:
    """One account: its key, and what the twin plants (`delay` in s, `status`, `retry_after`)."""

    def __init__(self, config: TwinConfig) -> None:
        self._key = config.anthropic_key
        self.behaviour: dict[str, Any] = config.behaviour.get("anthropic", {})

    async def admit(self, request: Request) -> None:
        """Raise RefusedError for a wrong key, a wrong version, too large a body, and planted failures."""
        await asyncio.sleep(self.behaviour.get("delay", 0))
        self._check_key(request)
        version = request.headers.get("anthropic-version")
        if not version:
            raise RefusedError("anthropic-version: header is required")
        if version not in VERSIONS:
            raise RefusedError(f'anthropic-version: "{version}" is not a valid version')
        size = request.headers.get("content-length", "")
        if size.isdigit() and int(size) > LIMITS.get(request.url.path, DEFAULT_LIMIT):
            async for _ in request.stream():
                pass
            raise RefusedError("Request exceeds the maximum size", 413)
        if status := self.behaviour.get("status"):
            headers = {"retry-after": str(self.behaviour.get("retry_after", 1))} if status == 429 else None
            raise RefusedError(PLANTED.get(status, "Internal server error"), int(status), headers=headers)

    def _check_key(self, request: Request) -> None:
        # Where both headers are sent, the older one counts.
        key, token = request.headers.get("x-api-key"), bearer(request)
        if not key and not token:
            raise RefusedError("x-api-key header is required", 401)
        if not same(key or token, self._key):
            raise RefusedError("invalid x-api-key" if key else "Invalid bearer token", 401)

    def guarded(self, handler: Handler) -> Handler:
        """The handler, for admitted requests only."""

        async def admitted(request: Request) -> Response:
            await self.admit(request)
            return await handler(request)

        return admitted


class Headers:
    """Middleware: the headers of every response; the twin may plant `organization`, and `used` (a share of the limits)."""

    def __init__(self, app: ASGIApp, behaviour: dict[str, Any]) -> None:
        self._app = app
        self._behaviour = behaviour
        self._asked: list[float] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req_{uuid.uuid4().hex[:24]}"
        scope.setdefault("state", {})["request_id"] = request_id

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["request-id"] = request_id
                if message["status"] != 401:
                    headers["anthropic-organization-id"] = self._behaviour.get("organization", ORGANIZATION)
                if scope["path"] == "/v1/messages" and message["status"] in (200, 429):
                    self._limits(headers, message["status"])
            await send(message)

        await self._app(scope, receive, sent)

    def _limits(self, headers: MutableHeaders, status: int) -> None:
        now = time.monotonic()
        self._asked = [*(moment for moment in self._asked if moment > now - 60), now]
        reset = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name, limit in PER_MINUTE.items():
            used = len(self._asked) if name == "requests" else 1000
            used += round(limit * float(self._behaviour.get("used", 0)))
            headers[f"anthropic-ratelimit-{name}-limit"] = str(limit)
            headers[f"anthropic-ratelimit-{name}-remaining"] = str(0 if status == 429 else max(0, limit - used))
            headers[f"anthropic-ratelimit-{name}-reset"] = reset
