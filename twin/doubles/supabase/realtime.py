"""Supabase Realtime: a Phoenix websocket that sends job changes to the documents' owners."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import asyncpg
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from twin.doubles.supabase.project import Project, Refused


@dataclass
class Subscription:
    """One joined topic on one socket."""

    socket: WebSocket
    topic: str
    claims: dict[str, Any]

    def may_see(self, change: dict[str, Any]) -> bool:
        """The owner and the service role see a change, others do not."""
        role = self.claims.get("role")
        return role == "service_role" or (role == "authenticated" and self.claims.get("sub") == change.get("user_id"))


class Feed:
    """Sends the database's notifications to the subscriptions."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.subscriptions: list[Subscription] = []
        self._connection: asyncpg.Connection | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on the database's channel."""
        self._connection = await asyncpg.connect(self.project.config.database_admin_url)
        await self._connection.add_listener("realtime", self._on_notification)

    async def stop(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            await self._connection.close()

    def _on_notification(self, *arguments: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._publish(json.loads(arguments[-1])))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _publish(self, change: dict[str, Any]) -> None:
        data = {key: change[key] for key in ("type", "schema", "table", "record")}
        for subscription in list(self.subscriptions):
            if not subscription.may_see(change):
                continue
            try:
                await send(subscription.socket, subscription.topic, "postgres_changes", {"ids": [1], "data": data})
            except (RuntimeError, WebSocketDisconnect):
                self.drop(subscription.socket)

    def drop(self, socket: WebSocket) -> None:
        """Remove the subscriptions of a socket."""
        self.subscriptions = [s for s in self.subscriptions if s.socket is not socket]


async def send(socket: WebSocket, topic: str, event: str, payload: dict[str, Any], ref: str | None = None) -> None:
    """One Phoenix message."""
    await socket.send_text(json.dumps({"topic": topic, "event": event, "payload": payload, "ref": ref}))


class Realtime:
    """The websocket endpoint of one project."""

    def __init__(self, project: Project) -> None:
        self.project = project

    async def endpoint(self, socket: WebSocket) -> None:
        """Serve one socket until it closes."""
        if self.project.role_of_key(socket.query_params.get("apikey", "")) is None:
            await socket.close(code=4001, reason="Invalid API key")
            return
        await socket.accept()
        try:
            while True:
                await self._handle(socket, json.loads(await socket.receive_text()))
        except (WebSocketDisconnect, ValueError):
            pass
        finally:
            self.project.feed.drop(socket)

    async def _handle(self, socket: WebSocket, message: dict[str, Any]) -> None:
        topic, ref = message.get("topic", ""), message.get("ref")
        reply: dict[str, Any] = {"status": "ok", "response": {}}
        if message.get("event") == "phx_join":
            try:
                claims = self._claims(socket, message.get("payload") or {})
                self.project.feed.subscriptions.append(Subscription(socket, topic, claims))
                reply["response"] = {"postgres_changes": [{"id": 1}]}
            except Refused as error:
                reply = {"status": "error", "response": {"reason": error.message}}
        await send(socket, topic, "phx_reply", reply, ref)

    def _claims(self, socket: WebSocket, payload: dict[str, Any]) -> dict[str, Any]:
        token = payload.get("access_token") or socket.query_params.get("apikey", "")
        role = self.project.role_of_key(token)
        return {"role": role} if role else self.project.claims(token)


def routes(project: Project) -> list[WebSocketRoute]:
    """The route below /realtime/v1."""
    return [WebSocketRoute("/realtime/v1/websocket", Realtime(project).endpoint)]
