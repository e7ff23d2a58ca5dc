"""Who asks, and what every response carries: keys, request ids, rate limits, and the twin's planted behaviour."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twin.config import TwinConfig
from twin.doubles.openai.errors import RefusedError, masked
from twin.doubles.web import bearer, same

Handler = Callable[[Request], Awaitable[Response]]
ORGANIZATION = "org-twin"
PROJECT = "proj_twin"
PER_MINUTE = 10_000
TOKENS_PER_MINUTE = 10_000_000
# What OpenAI says with each status when it is not the request's fault.
PLANTED = {
    401: ("Your authentication token has been invalidated.", "invalid_request_error", "token_invalidated"),
    403: ("You are not allowed to use this resource.", "invalid_request_error", "unsupported_country_region_territory"),
    429: ("Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
    503: ("The engine is currently overloaded, please try again later.", "server_error", None),
}
NO_QUOTA = "insufficient_quota"
QUOTA = ("You exceeded your current quota, please check your plan and billing details.", NO_QUOTA, NO_QUOTA)


class Account:
    """One account: its key, and what the twin plants (`delay` in s, `status`, `code`, `retry_after`, `vectors`).

    `rights` of the key are "restricted" (models and what they are asked), "all", or "admin" (the organisation too); `lacks`
    names models that its project does not have.
    """

    def __init__(self, config: TwinConfig) -> None:
        self._key = config.openai_key
        self.behaviour: dict[str, Any] = config.behaviour.get("openai", {})

    @property
    def lacks(self) -> list[str]:
        """Models that the account's project does not have."""
        return list(self.behaviour.get("lacks", ()))

    async def admit(self, request: Request) -> None:
        """Raise RefusedError for a wrong key and for planted failures."""
        await asyncio.sleep(self.behaviour.get("delay", 0))
        key = bearer(request)
        if not key:
            message = "You didn't provide an API key. Send it in an Authorization header with the Bearer scheme."
            raise RefusedError(message, status=401)
        if not same(key, self._key):
            raise RefusedError(f"Incorrect API key provided: {masked(key)}.", None, "invalid_api_key", status=401)
        if request.headers.get("openai-organization", ORGANIZATION) != ORGANIZATION:
            message = f"No such organization: {request.headers['openai-organization']}."
            raise RefusedError(message, None, "invalid_organization", status=401)
        if status := self.behaviour.get("status"):
            raise self._planted(int(status))

    def require(self, scope: str) -> None:
        """Raise RefusedError where the key lacks a right."""
        rights = self.behaviour.get("rights", "restricted")
        if rights == "admin" or (rights == "all" and not scope.startswith("api.management.")):
            return
        message = f"You have insufficient permissions for this operation. Missing scopes: {scope}. Check that you have the "
        message += "correct role in your organization and project, and if you're using a restricted API key, that it has the "
        raise RefusedError(f"{message}necessary scopes.", status=403)

    def needing(self, scope: str, handler: Handler) -> Handler:
        """The handler, for keys with this right only."""

        async def permitted(request: Request) -> Response:
            self.require(scope)
            return await handler(request)

        return permitted

    def _planted(self, status: int) -> RefusedError:
        failed = ("The server had an error while processing your request.", "server_error", None)
        message, kind, code = QUOTA if self.behaviour.get("code") == NO_QUOTA else PLANTED.get(status, failed)
        headers = {"retry-after": str(self.behaviour.get("retry_after", 1))} if status in (429, 503) else None
        return RefusedError(message, None, code, status=status, kind=kind, headers=headers)

    def guarded(self, handler: Handler) -> Handler:
        """The handler, for admitted requests only."""

        async def admitted(request: Request) -> Response:
            await self.admit(request)
            return await handler(request)

        return admitted


class Headers:
    """Middleware: the headers of every response; the twin may plant `organization`, `project` and `used` (a share)."""

    def __init__(self, app: ASGIApp, behaviour: dict[str, Any]) -> None:
        self._app = app
        self._behaviour = behaviour
        self._asked: list[float] = []

    def _remaining(self) -> int:
        now = time.monotonic()
        self._asked = [moment for moment in self._asked if moment > now - 60] + [now]
        return max(0, PER_MINUTE - len(self._asked))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = f"req_{uuid.uuid4().hex}"
                headers["openai-version"] = "2020-10-01"
                headers["openai-processing-ms"] = str(round((time.perf_counter() - started) * 1000))
                if message["status"] not in (401, 404, 405):
                    headers["openai-organization"] = self._behaviour.get("organization", ORGANIZATION)
                    headers["openai-project"] = self._behaviour.get("project", PROJECT)
                    self._limits(headers, message["status"])
            await send(message)

        await self._app(scope, receive, sent)

    def _limits(self, headers: MutableHeaders, status: int) -> None:
        used = float(self._behaviour.get("used", 0))
        remaining = 0 if status == 429 else max(0, self._remaining() - round(PER_MINUTE * used))
        headers["x-ratelimit-limit-requests"] = str(PER_MINUTE)
        headers["x-ratelimit-limit-tokens"] = str(TOKENS_PER_MINUTE)
        headers["x-ratelimit-remaining-requests"] = str(remaining)
        headers["x-ratelimit-remaining-tokens"] = str(round(TOKENS_PER_MINUTE * (1 - used)) - 1000)
        headers["x-ratelimit-reset-requests"] = "1s" if status == 429 else "6ms"
        headers["x-ratelimit-reset-tokens"] = "6ms"
