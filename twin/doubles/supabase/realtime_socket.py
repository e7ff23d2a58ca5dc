"""The websocket of Realtime: joining, leaving, broadcasts, presence and new tokens."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import jwt
from starlette.websockets import WebSocket, WebSocketDisconnect

from twin.doubles.supabase.project import Refused
from twin.doubles.supabase.realtime_channel import Channel, Connection, Message
from twin.doubles.supabase.realtime_filters import BadFilter
from twin.doubles.supabase.realtime_private import permissions
from twin.doubles.supabase.realtime_rows import NotPublished

if TYPE_CHECKING:
    from twin.doubles.supabase.realtime_feed import Feed

OPAQUE_KEY = "sb_"


class JoinRefused(Exception):
    """A join that the service refuses, with the reason that it gives."""


def reason_of(error: Refused) -> str:
    """Why a token was refused, as the service says it."""
    cause = error.__cause__
    if isinstance(cause, jwt.ExpiredSignatureError):
        return "InvalidJWTToken: Token has expired"
    if isinstance(cause, jwt.InvalidSignatureError):
        return "JwtSignatureError: Failed to validate JWT signature"
    if isinstance(cause, jwt.MissingRequiredClaimError):
        return "InvalidJWTToken: Fields `role` and `exp` are required in JWT"
    return "MalformedJWT: The token provided is not a valid JWT"


class Endpoint:
    """Serves the sockets of one project."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.project = feed.project
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, socket: WebSocket) -> None:
        """Serve one socket until it closes."""
        key = socket.query_params.get("apikey", "") or socket.headers.get("apikey", "")
        if self.project.role_of_key(key) is None:
            await socket.close(code=4001, reason="Invalid API key")
            return
        await socket.accept()
        connection = Connection(socket, key, socket.query_params.get("vsn", "1.0.0"))
        try:
            while True:
                await self._handle(connection, Message.read(await socket.receive_text()))
        except (WebSocketDisconnect, ValueError, KeyError):
            pass
        finally:
            for channel in [channel for channel in self.feed.hub.channels if channel.connection is connection]:
                await self.feed.hub.drop(channel)

    async def _handle(self, connection: Connection, message: Message) -> None:
        if message.event == "heartbeat":
            await connection.reply(message, "ok")
        elif message.event == "phx_join":
            await self._join(connection, message)
        elif (channel := connection.channels.get(message.topic)) is None:
            await connection.reply(message, "error", {"reason": "unmatched topic"})
        elif message.event == "phx_leave":
            await self._leave(channel)
            await connection.reply(message, "ok")
        elif message.event == "broadcast":
            await self._broadcast(channel, message)
        elif message.event == "presence":
            await self._presence(channel, message)
        elif message.event == "access_token":
            await self._renew(channel, message.payload.get("access_token"))

    async def _leave(self, channel: Channel) -> None:
        channel.connection.channels.pop(channel.topic, None)
        await self.feed.hub.drop(channel)

    def claims_of(self, connection: Connection, token: Any) -> dict[str, Any]:
        """The claims of a token, or of the socket's key without one; raises Refused."""
        given = token if isinstance(token, str) and token and not token.startswith(OPAQUE_KEY) else connection.key
        role = self.project.role_of_key(given)
        if self.project.behaviour.get("topics") == "unverified" and given.count(".") == 2:
            return jwt.decode(given, options={"verify_signature": False})
        return {"role": role} if role else self.project.claims(given)

    async def _join(self, connection: Connection, message: Message) -> None:
        try:
            channel = await self._channel(connection, message)
        except Refused as error:
            await connection.reply(message, "error", {"reason": reason_of(error)})
            return
        except (JoinRefused, BadFilter) as error:
            await connection.reply(message, "error", {"reason": str(error)})
            return
        if before := connection.channels.get(message.topic):
            await self._leave(before)
        connection.channels[message.topic] = channel
        self.feed.hub.channels.append(channel)
        await connection.reply(message, "ok", {"postgres_changes": [wanted.shown for wanted in channel.wanted]})
        if channel.sees_presence and channel.allowed.read_presence:
            await channel.push("presence_state", self.feed.hub.state(channel))
        if channel.needs_log:
            task = asyncio.create_task(self._subscribe(channel))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _channel(self, connection: Connection, message: Message) -> Channel:
        if not message.topic.startswith("realtime:"):
            raise JoinRefused("unmatched topic")
        if message.topic == "realtime:":
            raise JoinRefused("TopicNameRequired: You must provide a topic name")
        token = message.payload.get("access_token") or message.payload.get("user_token")
        channel = Channel.of(connection, message, self.claims_of(connection, token))
        if channel.private:
            await self._authorize(channel)
        return channel

    async def _authorize(self, channel: Channel) -> None:
        channel.allowed = await permissions(self.project, channel.claims, channel.name)
        if not (channel.allowed.read_broadcast or channel.allowed.read_presence):
            raise JoinRefused(f"Unauthorized: You do not have permissions to read from this Channel topic: {channel.name}")

    async def _subscribe(self, channel: Channel) -> None:
        await self.feed.changes.listen()
        if not channel.wanted:
            return
        try:
            for wanted in channel.wanted:
                await self.feed.changes.rows.check(wanted, channel.claims)
        except NotPublished as error:
            channel.wanted = ()
            await channel.system("postgres_changes", "error", str(error))
            return
        channel.since = await self.feed.changes.place()
        await channel.system("postgres_changes", "ok", "Subscribed to PostgreSQL")

    async def _broadcast(self, channel: Channel, message: Message) -> None:
        if not channel.allowed.write_broadcast:
            return
        await self.feed.hub.broadcast(channel.topic, message.payload, private=channel.private, sender=channel)
        if channel.acknowledges:
            await channel.connection.reply(message, "ok")

    async def _presence(self, channel: Channel, message: Message) -> None:
        event, payload = str(message.payload.get("event", "")).lower(), message.payload.get("payload")
        if event not in ("track", "untrack"):
            await channel.connection.reply(message, "error", {"reason": f"Unknown presence event: {event}"})
            return
        if not channel.allowed.write_presence:
            await channel.connection.reply(message, "ok")
            return
        if event == "track" and not isinstance(payload, dict):
            await channel.connection.reply(message, "error", {"reason": "Presence track payload must be a map"})
            return
        await channel.connection.reply(message, "ok")
        if event == "untrack" or not isinstance(payload, dict):
            await self.feed.hub.untrack(channel)
            return
        if not channel.sees_presence:
            channel.sees_presence = True
            await channel.push("presence_state", self.feed.hub.state(channel))
        await self.feed.hub.track(channel, payload)

    async def _renew(self, channel: Channel, token: Any) -> None:
        if not isinstance(token, str) or token.startswith(OPAQUE_KEY):
            return
        try:
            channel.claims = self.claims_of(channel.connection, token)
            if channel.private:
                await self._authorize(channel)
        except (Refused, JoinRefused) as error:
            text = reason_of(error) if isinstance(error, Refused) else str(error)
            await channel.system("system", "error", text.partition(": ")[2])
            await channel.push("phx_close", {})
            await self._leave(channel)
