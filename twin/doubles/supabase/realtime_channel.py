"""One joined channel: what was agreed on joining, and how messages are written to its socket."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from twin.doubles.supabase.realtime_filters import Wanted
from twin.doubles.supabase.realtime_wal import Change


@dataclass(frozen=True)
class Message:
    """One message of Phoenix, in either of its two forms."""

    topic: str
    event: str
    payload: dict[str, Any]
    ref: str | None = None
    join_ref: str | None = None

    @classmethod
    def read(cls, text: str) -> Message:
        """From a frame; raises ValueError."""
        found = json.loads(text)
        if isinstance(found, list):
            join_ref, ref, topic, event, payload = found
        elif isinstance(found, dict):
            join_ref, ref = found.get("join_ref"), found.get("ref")
            topic, event, payload = found.get("topic", ""), found.get("event", ""), found.get("payload")
        else:
            raise ValueError("not a message")
        return cls(str(topic), str(event), payload if isinstance(payload, dict) else {}, ref, join_ref)

    def written(self, version: str) -> str:
        """As a frame of the protocol's version."""
        if version.startswith("2"):
            return json.dumps([self.join_ref, self.ref, self.topic, self.event, self.payload])
        return json.dumps({"topic": self.topic, "event": self.event, "payload": self.payload, "ref": self.ref})


@dataclass(eq=False)
class Connection:
    """One socket, with the version of the protocol that its client speaks."""

    socket: WebSocket
    key: str
    version: str
    channels: dict[str, Channel] = field(default_factory=dict)

    async def send(self, message: Message) -> None:
        """Write a message; one for a socket that has closed is lost."""
        try:
            await self.socket.send_text(message.written(self.version))
        except (RuntimeError, WebSocketDisconnect):
            self.channels.clear()

    async def reply(self, to: Message, status: str, response: dict[str, Any] | None = None) -> None:
        """Reply to a message."""
        payload = {"status": status, "response": response or {}}
        await self.send(Message(to.topic, "phx_reply", payload, to.ref, to.join_ref))


@dataclass
class Permissions:
    """What a private channel's policies allow; everything on a public one."""

    read_broadcast: bool = True
    write_broadcast: bool = True
    read_presence: bool = True
    write_presence: bool = True


@dataclass(eq=False)
class Channel:
    """One topic that one socket has joined."""

    connection: Connection
    topic: str
    claims: dict[str, Any]
    join_ref: str | None
    wanted: tuple[Wanted, ...] = ()
    private: bool = False
    gets_own: bool = False
    acknowledges: bool = False
    sees_presence: bool = False
    presence_key: str = ""
    allowed: Permissions = field(default_factory=Permissions)
    # The place in the database's log at which the subscription began; None while there is none.
    since: int | None = None

    @classmethod
    def of(cls, connection: Connection, join: Message, claims: dict[str, Any]) -> Channel:
        """From the message that joins; raises BadFilter."""
        config = join.payload.get("config")
        config = config if isinstance(config, dict) else {}
        broadcast, presence = config.get("broadcast") or {}, config.get("presence") or {}
        entries = [entry for entry in config.get("postgres_changes") or [] if isinstance(entry, dict)]
        return cls(
            connection,
            join.topic,
            claims,
            join.join_ref or join.ref,
            tuple(Wanted.of(entry) for entry in entries),
            bool(config.get("private")),
            bool(broadcast.get("self")),
            bool(broadcast.get("ack")),
            bool(presence.get("enabled", bool(presence.get("key")))),
            str(presence.get("key") or uuid.uuid1()),
        )

    @property
    def name(self) -> str:
        """The topic as the client named it."""
        return self.topic.removeprefix("realtime:")

    @property
    def needs_log(self) -> bool:
        """Whether the database's log has something for this channel."""
        return bool(self.wanted) or self.private

    def hears(self, change: Change) -> bool:
        """Whether a change is of a kind that was asked for, and was committed after the subscription began."""
        name = (change.table.schema, change.table.name, change.action)
        return self.since is not None and change.place >= self.since and any(w.covers(*name) for w in self.wanted)

    async def push(self, event: str, payload: dict[str, Any]) -> None:
        """Write an event of this channel."""
        await self.connection.send(Message(self.topic, event, payload, None, self.join_ref))

    async def system(self, extension: str, status: str, text: str) -> None:
        """Write a message of the service itself."""
        await self.push("system", {"extension": extension, "status": status, "message": text, "channel": self.name})
