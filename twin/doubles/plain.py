"""What answers plain http of the API, as a host's edge does; started only when a change needs it."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from twin.config import TwinConfig

FOREIGN = "https://parked.example/"


def create_app(config: TwinConfig) -> Starlette:
    """`behaviour.plain` sets kind: redirect, refuse, serve, circle (back to itself) or foreign (to another host)."""
    kind, status = config.behaviour["plain"]["kind"], config.behaviour["plain"].get("status", 301)
    own = f"http://localhost:{config.ports['plain']}"

    async def answer(request: Request) -> Response:
        if kind == "serve":
            return PlainTextResponse("ok")
        if kind == "refuse":
            return PlainTextResponse("use https", status_code=426)
        to = {"redirect": f"{config.url('api')}{request.url.path}", "circle": f"{own}/again", "foreign": FOREIGN}[kind]
        return RedirectResponse(to, status_code=status)

    return Starlette(routes=[Route("/{path:path}", answer)])
