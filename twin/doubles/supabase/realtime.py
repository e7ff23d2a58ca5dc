"""Supabase Realtime: channels over a websocket, with broadcast, presence and the database's changes."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from twin.doubles.supabase.gateway import with_error_responses
from twin.doubles.supabase.project import Project
from twin.doubles.supabase.realtime_private import permissions
from twin.doubles.supabase.realtime_socket import Endpoint


class Broadcasts:
    """Broadcasts over HTTP, for those who have no socket."""

    def __init__(self, project: Project) -> None:
        self.project = project

    async def many(self, request: Request) -> Response:
        """Send several messages."""
        claims = self.project.identity(request)
        try:
            body = await request.json()
        except ValueError:
            body = None
        messages = body.get("messages") if isinstance(body, dict) else None
        if not isinstance(messages, list) or not messages:
            return JSONResponse({"errors": {"messages": ["can't be blank"]}}, status_code=422)
        missing = [_missing(message) for message in messages]
        if any(missing):
            return JSONResponse({"errors": {"messages": missing}}, status_code=422)
        for message in messages:
            await self._send(
                claims, str(message["topic"]), str(message["event"]), message["payload"], bool(message.get("private"))
            )
        return Response(status_code=202)

    async def one(self, request: Request) -> Response:
        """Send one message."""
        claims = self.project.identity(request)
        try:
            payload = await request.json()
        except ValueError:
            return JSONResponse({"message": "Invalid payload"}, status_code=422)
        private = request.query_params.get("private") == "true"
        await self._send(claims, request.path_params["topic"], request.path_params["event"], payload, private)
        return Response(status_code=202)

    async def _send(self, claims: dict[str, Any], topic: str, event: str, payload: Any, private: bool) -> None:
        if private and not (await permissions(self.project, claims, topic)).write_broadcast:
            return
        message = {"type": "broadcast", "event": event, "payload": payload}
        await asyncio.shield(self.project.feed.hub.broadcast(f"realtime:{topic}", message, private=private))


def _missing(message: Any) -> dict[str, list[str]]:
    known = message if isinstance(message, dict) else {}
    return {name: ["can't be blank"] for name in ("topic", "event", "payload") if known.get(name) in (None, "")}


def routes(project: Project) -> list[BaseRoute]:
    """Routes below /realtime/v1."""

    async def serve(socket: Any) -> None:
        await Endpoint(project.feed).serve(socket)

    broadcasts = Broadcasts(project)
    return [
        WebSocketRoute("/realtime/v1/websocket", serve),
        Route("/realtime/v1/api/broadcast", with_error_responses(broadcasts.many), methods=["POST"]),
        Route("/realtime/v1/api/broadcast/{topic}/events/{event}", with_error_responses(broadcasts.one), methods=["POST"]),
    ]
