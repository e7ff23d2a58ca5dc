"""A proxy in front of the API that misbehaves, as hosts and load balancers do; started only when a change needs it."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
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


def _refusal(kind: str) -> Response | None:
    """What the proxy returns by itself for a request that it does not forward, or None when it does."""
    if kind == "maintenance":
        return HTMLResponse(MAINTENANCE)
    if kind == "bad_gateway":
        return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", status_code=502)
    if kind == "json_bad_gateway":
        return Response('{"error":"bad gateway"}', status_code=502, media_type="application/json")
    if kind == "error":
        return Response('{"detail": "internal error"}', status_code=500, media_type="application/json")
    return None


async def _reset(request: Request) -> Response:
    # ASGI knows no resets: the server's own transport is closed, with a linger of zero, which makes the system send RST.
    transport: asyncio.Transport = request.receive.__self__.transport  # type: ignore[attr-defined]
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await asyncio.sleep(0.01)
    return Response()


def create_app(config: TwinConfig) -> Starlette:
    """`behaviour.proxy` sets kind (latency is for all requests), every (n-th request) and seconds; or all is forwarded."""
    behaviour = config.behaviour.get("proxy", {"kind": "forward"})
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
        if hit and kind == "reset":
            return await _reset(request)
        if hit and (refusal := _refusal(kind)):
            return refusal
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
