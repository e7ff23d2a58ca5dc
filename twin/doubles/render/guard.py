"""What every request meets first: the way to it, the key, the accepted media types, the rate limits, and failures that pass."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twin.doubles.render.answers import problem
from twin.doubles.web import same

WINDOW_SECONDS = 60
READING = ("GET", "HEAD")
# What Render grants in a minute. They are shown; they are enforced only where `behaviour.render_limits` sets them, because
# everything that uses a twin shares one account.
GRANTED = {"read": 400, "write": 30}
# What is opened by a key in its address, and by no other.
HOOKS = "/deploy/"
ACCEPTED = ("*/*", "application/*", "application/json")


# What a failing read gets in turn: a status, or 0 for an answer that is cut off.
FAILURES = (503, 0, 500)


@dataclass(frozen=True)
class Manners:
    """How the double behaves towards whoever asks: limits and their window (s), seconds on the way, every n-th read fails."""

    limits: dict[str, int] = field(default_factory=dict)
    window: float = WINDOW_SECONDS
    delay: float = 0.0
    flaky: int = 0

    @classmethod
    def of(cls, behaviour: dict[str, Any]) -> Manners:
        """Those that a twin's behaviour asks for."""
        return cls(
            behaviour.get("render_limits", {}),
            float(behaviour.get("render_window", WINDOW_SECONDS)),
            float(behaviour.get("render_delay", 0.0)),
            int(behaviour.get("render_flaky", 0)),
        )


class Guard:
    """Refuses what may not be asked, and shows the limits on each answer."""

    def __init__(self, app: ASGIApp, key: str, manners: Manners) -> None:
        self._app = app
        self._key = key
        self._manners = manners
        self._limits = manners.limits
        self._reads = 0
        self._failures = itertools.cycle(FAILURES)
        self._used = {"read": 0, "write": 0}
        self._until = time.monotonic() + manners.window

    def _headers(self, kind: str) -> dict[str, str]:
        limit = self._limits.get(kind, GRANTED[kind])
        return {
            "Ratelimit-Limit": str(limit),
            "Ratelimit-Remaining": str(max(0, limit - self._used[kind])),
            "Ratelimit-Reset": str(max(1, round(self._until - time.monotonic()))),
        }

    def _refusal(self, headers: Headers, kind: str, path: str) -> tuple[int, str] | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if not path.startswith(HOOKS) and (scheme.lower() != "bearer" or not same(token.strip(), self._key)):
            return 401, "unauthorized"
        self._used[kind] += 1
        if kind in self._limits and self._used[kind] > self._limits[kind]:
            return 429, "rate limit exceeded"
        wanted = [part.partition(";")[0].strip() for part in headers.get("accept", "*/*").split(",")]
        if not any(part in ACCEPTED for part in wanted):
            return 406, "unable to generate preferred media types as specified by Accept request header"
        return None

    def _failure(self) -> int | None:
        """How this read fails, or None."""
        self._reads += 1
        return next(self._failures) if self._manners.flaky and self._reads % self._manners.flaky == 0 else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(self._manners.delay)
        if time.monotonic() > self._until:
            self._used, self._until = {"read": 0, "write": 0}, time.monotonic() + self._manners.window
        kind = "read" if scope["method"] in READING else "write"
        refused = self._refusal(Headers(scope=scope), kind, scope["path"])
        if refused is None and kind == "read" and (failure := self._failure()) is not None:
            if not failure:
                await _cut(send)
                return
            refused = failure, "internal server error"

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers(kind))
            await send(message)

        if refused is None:
            await self._app(scope, receive, send_with_limits)
            return
        more = {"Retry-After": self._headers(kind)["Ratelimit-Reset"]} if refused[0] == 429 else None
        await problem(*refused, headers=more)(scope, receive, send_with_limits)


async def _cut(send: Send) -> None:
    """Begin an answer that does not end: the server closes the connection, because it is shorter than it says."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    await send({"type": "http.response.body", "body": b"["})
