"""All joined channels of a project: broadcast and presence between them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any

from twin.doubles.supabase.realtime_channel import Channel


@dataclass
class Hub:
    """The channels, and who is present on which topic."""

    channels: list[Channel] = field(default_factory=list)
    # What each channel tracks: its key is in the channel.
    _tracked: dict[Channel, dict[str, Any]] = field(default_factory=dict)

    def _on(self, topic: str, *, private: bool) -> list[Channel]:
        return [channel for channel in self.channels if channel.topic == topic and channel.private == private]

    async def broadcast(self, topic: str, message: dict[str, Any], *, private: bool, sender: Channel | None = None) -> None:
        """Send a broadcast to the channels of a topic, and to its sender only when that asked for it."""
        for channel in self._on(topic, private=private):
            if channel.allowed.read_broadcast and (channel is not sender or channel.gets_own):
                await channel.push("broadcast", message)

    def state(self, of: Channel) -> dict[str, Any]:
        """Who is present on a channel's topic."""
        found: dict[str, Any] = {}
        for channel, meta in self._tracked.items():
            if channel.topic == of.topic and channel.private == of.private:
                found.setdefault(channel.presence_key, {"metas": []})["metas"].append(meta)
        return found

    async def track(self, channel: Channel, payload: dict[str, Any]) -> None:
        """Make a channel present, or change what is known of it."""
        before = self._tracked.get(channel)
        meta = {"phx_ref": _reference()} | payload
        if before is not None:
            meta["phx_ref_prev"] = before["phx_ref"]
        self._tracked[channel] = meta
        await self._differ(channel, joins=meta, leaves=before)

    async def untrack(self, channel: Channel) -> None:
        """Make a channel absent."""
        before = self._tracked.pop(channel, None)
        if before is not None:
            await self._differ(channel, leaves=before)

    async def _differ(self, of: Channel, joins: dict[str, Any] | None = None, leaves: dict[str, Any] | None = None) -> None:
        parts = {"joins": joins, "leaves": leaves}
        shown = {name: {of.presence_key: {"metas": [meta]}} if meta else {} for name, meta in parts.items()}
        for channel in self._on(of.topic, private=of.private):
            if channel.allowed.read_presence:
                await channel.push("presence_diff", shown)

    async def drop(self, channel: Channel) -> None:
        """Forget a channel."""
        if channel in self.channels:
            self.channels.remove(channel)
        await self.untrack(channel)


def _reference() -> str:
    return f"F{time.time_ns():x}{os.urandom(2).hex()}"
