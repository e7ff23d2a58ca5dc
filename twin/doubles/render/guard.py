"""What every request meets first: the key, the accepted media types, and the rate limits."""

from __future__ import annotations

import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twin.doubles.render.answers import problem
from twin.doubles.web import same

WINDOW_SECONDS = 60
READING = ("GET", "HEAD")
# What Render grants in a minute. They are shown; they are enforced only where `behaviour.render_limits` sets them, because
# everything that uses a twin shares one account.
GRANTED = {"read": 400, "write": 30}
ACCEPTED = ("*/*", "application/*", "application/json")


class Guard:
    """Refuses what may not be asked, and shows the limits on each answer."""

    def __init__(self, app: ASGIApp, key: str, limits: dict[str, int]) -> None:
        self._app = app
        self._key = key
        self._limits = limits
        self._used = {"read": 0, "write": 0}
        self._until = time.monotonic() + WINDOW_SECONDS

    def _headers(self, kind: str) -> dict[str, str]:
        limit = self._limits.get(kind, GRANTED[kind])
        return {
            "Ratelimit-Limit": str(limit),
            "Ratelimit-Remaining": str(max(0, limit - self._used[kind])),
            "Ratelimit-Reset": str(max(1, round(self._until - time.monotonic()))),
        }

    def _refusal(self, headers: Headers, kind: str) -> tuple[int, str] | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not same(token.strip(), self._key):
            return 401, "unauthorized"
        self._used[kind] += 1
        if kind in self._limits and self._used[kind] > self._limits[kind]:
            return 429, "rate limit exceeded"
        wanted = [part.partition(";")[0].strip() for part in headers.get("accept", "*/*").split(",")]
        if not any(part in ACCEPTED for part in wanted):
            return 406, "unable to generate preferred media types as specified by Accept request header"
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if time.monotonic() > self._until:
            self._used, self._until = {"read": 0, "write": 0}, time.monotonic() + WINDOW_SECONDS
        kind = "read" if scope["method"] in READING else "write"
        refused = self._refusal(Headers(scope=scope), kind)

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers(kind))
            await send(message)

        if refused is None:
            await self._app(scope, receive, send_with_limits)
            return
        more = {"Retry-After": self._headers(kind)["Ratelimit-Reset"]} if refused[0] == 429 else None
        await problem(*refused, headers=more)(scope, receive, send_with_limits)
