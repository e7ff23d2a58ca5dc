"""Supabase Realtime: channels, broadcast and presence, as `realtime` uses them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from realtime import AsyncRealtimeChannel, RealtimeSubscribeStates
from supabase import AsyncClient
from websockets.exceptions import InvalidStatus

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes

SECONDS = 10.0
PUBLIC: Any = {
    "config": {"broadcast": {"ack": False, "self": False}, "presence": {"key": "", "enabled": False}, "private": False}
}


def config(*, private: bool = False, key: str = "", **broadcast: bool) -> Any:
    """What a channel is joined with."""
    spoken = {"ack": False, "self": False} | broadcast
    return {"config": {"broadcast": spoken, "presence": {"key": key, "enabled": bool(key)}, "private": private}}


@asynccontextmanager
async def connected(clients: Clients, key: str = "") -> AsyncIterator[AsyncClient]:
    """A client whose socket is closed at the end."""
    client = await clients.supabase_async(key or clients.keys.publishable)
    try:
        yield client
    finally:
        await client.remove_all_channels()


async def joined(channel: AsyncRealtimeChannel) -> tuple[RealtimeSubscribeStates, Exception | None]:
    """Join a channel; returns what became of it."""
    states: list[tuple[RealtimeSubscribeStates, Exception | None]] = []
    await channel.subscribe(lambda state, error: states.append((state, error)))
    return states[0]


async def until(found: Callable[[], Any]) -> Any:
    """What is found as soon as something is; raises TimeoutError."""
    async with asyncio.timeout(SECONDS):
        while not (seen := found()):
            await asyncio.sleep(0.02)
    return seen


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run the body of a case."""

    async def bounded() -> None:
        async with asyncio.timeout(4 * SECONDS):
            await work()

    asyncio.run(bounded())


@operation("Supabase Realtime", "join a channel and leave it")
def test_a_channel_is_joined(clients: Clients) -> None:
    async def work() -> None:
        async with connected(clients) as client:
            channel = client.channel(f"{clients.tag}-join", PUBLIC)
            assert await joined(channel) == (RealtimeSubscribeStates.SUBSCRIBED, None)
            assert channel.is_joined
            await channel.unsubscribe()
            await until(lambda: channel.is_closed)

    run(work)


@operation("Supabase Realtime", "a socket with a key of no project")
def test_a_wrong_key_opens_nothing(clients: Clients) -> None:
    async def work() -> None:
        client = await clients.supabase_async(clients.keys.publishable)
        client.realtime.url = client.realtime.url.partition("?")[0] + "?apikey=wrong"
        client.realtime.auto_reconnect = False
        with pytest.raises(InvalidStatus) as refused:
            await client.realtime.connect()
        assert refused.value.response.status_code in (401, 403)

    run(work)


@operation("Supabase Realtime", "a broadcast reaches the others, not its sender")
def test_a_broadcast(clients: Clients) -> None:
    async def work() -> None:
        async with connected(clients) as first, connected(clients) as second:
            heard: list[Any] = []
            own: list[Any] = []
            sender = first.channel(f"{clients.tag}-talk", PUBLIC).on_broadcast("news", own.append)
            listener = second.channel(f"{clients.tag}-talk", PUBLIC).on_broadcast("news", heard.append)
            await joined(sender)
            await joined(listener)
            await sender.send_broadcast("other", {"n": 0})
            await sender.send_broadcast("news", {"n": 1})
            await until(lambda: heard)
            assert (heard[0]["event"], heard[0]["payload"]) == ("news", {"n": 1})
            assert (len(heard), own) == (1, [])

    run(work)


@operation("Supabase Realtime", "a broadcast to its sender, acknowledged")
def test_an_own_broadcast(clients: Clients) -> None:
    async def work() -> None:
        async with connected(clients) as client:
            heard: list[Any] = []
            channel = client.channel(f"{clients.tag}-own", config(self=True, ack=True)).on_broadcast("news", heard.append)
            await joined(channel)
            acknowledged: list[Any] = []
            push = await channel.push("broadcast", {"type": "broadcast", "event": "news", "payload": {"n": 1}})
            push.receive("ok", acknowledged.append)  # type: ignore[call-overload]
            await until(lambda: heard and acknowledged)

    run(work)


@operation("Supabase Realtime", "a broadcast over HTTP")
def test_a_broadcast_over_http(clients: Clients) -> None:
    async def work() -> None:
        async with connected(clients) as client:
            heard: list[Any] = []
            topic = f"{clients.tag}-http"
            channel = client.channel(topic, PUBLIC).on_broadcast("*", heard.append)
            await joined(channel)
            headers = {"apikey": clients.keys.secret, "Authorization": f"Bearer {clients.keys.secret}"}
            messages = [{"topic": topic, "event": "news", "payload": {"n": n}} for n in (1, 2)]
            url = f"{clients.urls.supabase}/realtime/v1/api/broadcast"
            async with httpx.AsyncClient() as http:
                sent = await http.post(url, headers=headers, json={"messages": messages})
                bad = await http.post(url, headers=headers, json={"messages": [{"topic": topic}]})
            assert (sent.status_code, bad.status_code) == (202, 422)
            await until(lambda: len(heard) == 2)
            assert [message["payload"] for message in heard] == [{"n": 1}, {"n": 2}]

    run(work)


@operation("Supabase Realtime", "a message by the client's HTTP method")
def test_http_send(clients: Clients) -> None:
    async def work() -> None:
        async with connected(clients) as first, connected(clients) as second:
            heard: list[Any] = []
            listener = second.channel(f"{clients.tag}-send", PUBLIC).on_broadcast("news", heard.append)
            await joined(listener)
            await first.channel(f"{clients.tag}-send", PUBLIC).http_send("news", {"n": 1})
            assert (await until(lambda: heard))[0]["payload"] == {"n": 1}

    run(work)


@operation("Supabase Realtime", "presence: who is there, who comes and who goes")
def test_presence(clients: Clients) -> None:
    async def work() -> None:
        async with connected(clients) as first, connected(clients) as second:
            topic, came, went = f"{clients.tag}-presence", [], []
            watcher = first.channel(topic, config(key="one"))
            watcher.on_presence_join(lambda key, _, new: came.append((key, new)))
            watcher.on_presence_leave(lambda key, _, old: went.append((key, old)))
            await joined(watcher)
            await watcher.track({"mood": "calm"})
            guest = second.channel(topic, config(key="two"))
            await joined(guest)
            await until(lambda: guest.presence_state().keys() == {"one"})
            assert guest.presence_state()["one"][0]["mood"] == "calm"  # type: ignore[typeddict-item]
            await guest.track({"mood": "glad"})
            await until(lambda: watcher.presence_state().keys() == {"one", "two"})
            await guest.track({"mood": "tired"})
            await until(lambda: watcher.presence_state()["two"][0]["mood"] == "tired")  # type: ignore[typeddict-item]
            await guest.untrack()
            await until(lambda: watcher.presence_state().keys() == {"one"})
            assert "two" in {key for key, _ in came}
            assert "two" in {key for key, _ in went}

    run(work)


@operation("Supabase Realtime", "presence of a client whose socket closes")
def test_presence_ends_with_the_socket(clients: Clients) -> None:
    async def work() -> None:
        async with connected(clients) as first:
            watcher = first.channel(f"{clients.tag}-gone", config(key="one"))
            await joined(watcher)
            async with connected(clients) as second:
                guest = second.channel(f"{clients.tag}-gone", config(key="two"))
                await joined(guest)
                await guest.track({"here": True})
                await until(lambda: "two" in watcher.presence_state())
            await until(lambda: "two" not in watcher.presence_state())

    run(work)


@operation("Supabase Realtime", "a private channel without a policy")
def test_a_private_channel_is_closed(clients: Clients) -> None:
    async def work() -> None:
        async with connected(clients) as client:
            state, error = await joined(client.channel(f"{clients.tag}-private", config(private=True)))
            assert state == RealtimeSubscribeStates.CHANNEL_ERROR
            assert "Unauthorized" in str(error)

    run(work)


@operation("Supabase Realtime", "a private channel for the service key, apart from the public one of its name")
def test_the_service_key_enters_private_channels(clients: Clients) -> None:
    async def work() -> None:
        key = clients.keys.secret
        async with connected(clients, key) as first, connected(clients, key) as second, connected(clients) as third:
            heard: list[Any] = []
            public: list[Any] = []
            topic = f"{clients.tag}-staff"
            sender = first.channel(topic, config(private=True))
            listener = second.channel(topic, config(private=True)).on_broadcast("news", heard.append)
            outsider = third.channel(topic, PUBLIC).on_broadcast("news", public.append)
            for channel in (sender, listener, outsider):
                assert (await joined(channel))[0] == RealtimeSubscribeStates.SUBSCRIBED
            await sender.send_broadcast("news", {"n": 1})
            await until(lambda: heard)
            assert public == []

    run(work)


@operation("Supabase Realtime", "a token that is not one")
def test_a_broken_token(clients: Clients) -> None:
    async def work() -> None:
        async with connected(clients) as client:
            await client.realtime.set_auth("not-a-token")
            state, error = await joined(client.channel(f"{clients.tag}-token", PUBLIC))
            assert state == RealtimeSubscribeStates.CHANNEL_ERROR
            assert error is not None

    run(work)


@operation("Supabase Realtime", "a new token for a joined channel")
@writes
def test_a_new_token(clients: Clients, member: Member) -> None:
    async def work() -> None:
        async with connected(clients) as client:
            heard: list[Any] = []
            channel = client.channel(f"{clients.tag}-renewed", config(self=True)).on_broadcast("news", heard.append)
            await joined(channel)
            signed = await client.auth.sign_in_with_password({"email": member.email, "password": member.password})
            assert signed.session is not None
            await client.realtime.set_auth(signed.session.access_token)
            await channel.send_broadcast("news", {})
            await until(lambda: heard)
            assert channel.is_joined

    run(work)
