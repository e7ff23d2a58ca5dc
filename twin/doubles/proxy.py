"""A proxy in front of the API that misbehaves, as hosts and load balancers do; started only when a change needs it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from itertools import count

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from twin.config import TwinConfig

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "content-encoding"}
STALL_SECONDS = 3600
MAINTENANCE = "<!doctype html><html><title>Maintenance</title><body><h1>We will be back soon</h1></body></html>"


def create_app(config: TwinConfig) -> Starlette:
    """`behaviour.proxy` sets kind (see `forward`, and latency for all requests), every (n-th request) and seconds."""
    behaviour = config.behaviour["proxy"]
    kind, every = behaviour["kind"], behaviour.get("every", 1)
    inner = f"https://127.0.0.1:{config.ports['api_inner']}"
    client = httpx.AsyncClient(verify=False, timeout=60)
    numbers = count(1)

    async def _half(body: bytes) -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        await asyncio.sleep(STALL_SECONDS)

    async def _forwarded(request: Request) -> httpx.Response:
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP]
        url = f"{inner}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
        return await client.request(request.method, url, headers=headers, content=await request.body())

    async def forward(request: Request) -> Response:
        hit = next(numbers) % every == 0
        if hit and kind == "maintenance":
            return HTMLResponse(MAINTENANCE)
        if hit and kind == "bad_gateway":
            return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", status_code=502)
        if hit and kind == "error":
            return Response('{"detail": "internal error"}', status_code=500, media_type="application/json")
        if kind == "latency":
            await asyncio.sleep(random.uniform(0, behaviour["seconds"]))
        if hit and kind == "slow":
            await asyncio.sleep(behaviour["seconds"])
        reply = await _forwarded(request)
        kept = {k: v for k, v in reply.headers.items() if k.lower() not in HOP_BY_HOP}
        if hit and kind == "stall" and request.method != "HEAD":
            return StreamingResponse(_half(reply.content), status_code=reply.status_code, headers=kept)
        return Response(reply.content, status_code=reply.status_code, headers=kept)

    return Starlette(routes=[Route("/{path:path}", forward, methods=METHODS)])
