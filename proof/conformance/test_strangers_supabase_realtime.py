"""Supabase's realtime channels as an application developer uses them, through Supabase's own client."""

import asyncio
import hashlib
import secrets
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from realtime import AsyncRealtimeChannel, RealtimeSubscribeStates
from realtime.types import RealtimeChannelOptions, RealtimePostgresChangesListenEvent
from supabase import Client

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes

SCHEMA = "upload_pipeline"
SECONDS = 20


@pytest.fixture
def tables(clients: Clients) -> Client:
    """The service key's client of the schema."""
    return clients.supabase(clients.keys.secret, SCHEMA)


@pytest.fixture
def documents(tables: Client, member: Member) -> Iterator[list[str]]:
    """Two documents of the member, removed afterwards with their jobs."""
    made = [str(uuid.uuid4()) for _ in range(2)]
    tables.table("documents").insert([_document(member, of) for of in made]).execute()
    yield made
    tables.table("upload_jobs").delete().in_("document_id", made).execute()
    tables.table("documents").delete().in_("document_id", made).execute()


def _document(owner: Member, made: str) -> dict[str, Any]:
    return {
        "document_id": made,
        "user_id": owner.id,
        "filename": "policy.pdf",
        "mime": "application/pdf",
        "bytes_len": 1234,
        "file_sha256": hashlib.sha256(made.encode()).hexdigest(),
        "raw_path": f"files/user/{owner.id}/raw/{made[:8]}.pdf",
    }


def job(of: str) -> dict[str, Any]:
    """A row of `upload_jobs` that no worker claims."""
    return {"job_id": str(uuid.uuid4()), "document_id": of, "status": "complete", "state": "done"}


async def until(reached: Callable[[], bool]) -> None:
    """Waits for a condition. Raises TimeoutError when it does not come."""
    async with asyncio.timeout(SECONDS):
        while not reached():
            await asyncio.sleep(0.05)


async def subscribed(channel: AsyncRealtimeChannel) -> None:
    """Subscribes to a channel and waits until the server confirms."""
    states: list[RealtimeSubscribeStates] = []
    await channel.subscribe(lambda state, _: states.append(state))
    await until(lambda: bool(states))
    assert states[0] == RealtimeSubscribeStates.SUBSCRIBED


def with_key(key: str) -> RealtimeChannelOptions:
    """The options of a public channel with a presence key."""
    return {
        "config": {
            "broadcast": {"ack": False, "self": False},
            "presence": {"key": key, "enabled": True},
            "private": False,
        }
    }


@operation("Supabase Realtime", "broadcast from one client to another")
def test_a_broadcast_reaches_the_others(clients: Clients) -> None:
    async def run() -> None:
        topic = f"stranger-{secrets.token_hex(6)}"
        sender, listener = [await clients.supabase_async(clients.keys.publishable) for _ in range(2)]
        heard: list[Any] = []
        own: list[Any] = []
        try:
            await subscribed(listener.channel(topic, with_key("")).on_broadcast("greeting", heard.append))
            speaking = sender.channel(topic, with_key("")).on_broadcast("greeting", own.append)
            await subscribed(speaking)
            await speaking.send_broadcast("other", {"text": "not for them"})
            await speaking.send_broadcast("greeting", {"text": "hello"})
            await until(lambda: bool(heard))
            assert [message["payload"] for message in heard] == [{"text": "hello"}]
            assert own == []
        finally:
            await sender.remove_all_channels()
            await listener.remove_all_channels()

    asyncio.run(run())


@operation("Supabase Realtime", "track presence and leave")
def test_presence_follows_who_is_there(clients: Clients) -> None:
    async def run() -> None:
        topic = f"stranger-{secrets.token_hex(6)}"
        first, second = [await clients.supabase_async(clients.keys.publishable) for _ in range(2)]
        try:
            here = first.channel(topic, with_key("ada"))
            await subscribed(here)
            await here.track({"page": 1})
            await until(lambda: "ada" in here.presence_state())
            there = second.channel(topic, with_key("bob"))
            await subscribed(there)
            await there.track({"page": 2})
            await until(lambda: set(here.presence_state()) == set(there.presence_state()) == {"ada", "bob"})
            state: Any = there.presence_state()
            assert [entry["page"] for entry in state["ada"]] == [1]
            await there.untrack()
            await until(lambda: set(here.presence_state()) == {"ada"})
        finally:
            await first.remove_all_channels()
            await second.remove_all_channels()

    asyncio.run(run())


def heard_by(clients: Clients, key: str, token: str | None, change: Callable[[], object], of: str) -> list[Any]:
    """What a client hears of the table of jobs, in one document's filter, while the change is made."""

    async def run() -> list[Any]:
        client = await clients.supabase_async(key)
        heard: list[Any] = []
        ready: list[Any] = []
        try:
            if token is not None:
                await client.realtime.set_auth(token)
            channel = client.channel(f"stranger-{secrets.token_hex(6)}", with_key(""))
            every = RealtimePostgresChangesListenEvent.All
            channel.on_postgres_changes(every, heard.append, "upload_jobs", SCHEMA, f"document_id=eq.{of}")
            await subscribed(channel.on_system(ready.append))
            await until(lambda: any(notice.extension == "postgres_changes" for notice in ready))
            await asyncio.to_thread(change)
            await until(lambda: bool(heard))
        finally:
            await client.remove_all_channels()
        return [message["data"] for message in heard]

    return asyncio.run(run())


@operation("Supabase Realtime", "listen to the inserts of a table, by a filter")
@writes
def test_an_insert_is_heard(clients: Clients, tables: Client, documents: list[str]) -> None:
    mine, other = documents
    row = job(mine)

    def change() -> None:
        tables.table("upload_jobs").insert(job(other)).execute()
        tables.table("upload_jobs").insert(row).execute()

    (data,) = heard_by(clients, clients.keys.secret, None, change, mine)
    assert data["type"] == "INSERT"
    assert (data["schema"], data["table"]) == (SCHEMA, "upload_jobs")
    assert data["record"]["job_id"] == row["job_id"]
    assert data["errors"] is None


@operation("Supabase Realtime", "listen to a change of a row as its owner")
@writes
def test_an_owner_hears_an_update(
    clients: Clients, tables: Client, documents: list[str], signed_in: tuple[Client, Member]
) -> None:
    row = job(documents[0])
    tables.table("upload_jobs").insert(row).execute()
    session = signed_in[0].auth.get_session()
    assert session is not None

    def change() -> None:
        tables.table("upload_jobs").update({"retry_count": 2}).eq("job_id", row["job_id"]).execute()

    (data,) = heard_by(clients, clients.keys.publishable, session.access_token, change, documents[0])
    assert data["type"] == "UPDATE"
    assert data["record"]["retry_count"] == 2
