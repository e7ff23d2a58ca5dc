"""Supabase Realtime: the database's changes, for those whom its policies let see them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from realtime import AsyncRealtimeChannel, RealtimePostgresChangesListenEvent
from supabase import AsyncClient, Client

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes
from proof.conformance.test_supabase_realtime import PUBLIC, connected, joined, run, until

ANY = RealtimePostgresChangesListenEvent.All
SCHEMA = "upload_pipeline"


@pytest.fixture
def rows(clients: Clients) -> Iterator[Client]:
    """The client of somebody else's table, whose rows are removed afterwards; skipped on a live target."""
    if clients.is_live:
        pytest.skip("the project has no scratch tables, and cases create none")
    client = clients.supabase(clients.keys.secret)
    yield client
    client.rpc("scratch_clear", {"prefix": clients.tag}).execute()


async def subscribed(channel: AsyncRealtimeChannel) -> str:
    """Join a channel; returns what the service says of its subscription."""
    said: list[Any] = []
    errors: list[str] = []
    channel.on_system(lambda payload: said.append(payload.message))
    await channel.subscribe(lambda _, error: errors.append(str(error)) if error else None)
    await until(lambda: said or errors)
    return str((said or errors)[0])


async def as_member(client: AsyncClient, member: Member) -> None:
    """Sign in, and tell the socket."""
    signed = await client.auth.sign_in_with_password({"email": member.email, "password": member.password})
    assert signed.session is not None
    await client.realtime.set_auth(signed.session.access_token)


def _data(heard: list[Any]) -> list[dict[str, Any]]:
    return [payload["data"] for payload in heard]


@operation("Supabase Realtime", "rows that are inserted, updated and deleted")
@writes
def test_changes_are_told(clients: Clients, rows: Client) -> None:
    async def work() -> None:
        async with connected(clients, clients.keys.secret) as client:
            heard: list[Any] = []
            channel = client.channel(f"{clients.tag}-changes", PUBLIC)
            channel.on_postgres_changes(ANY, heard.append, table="scratch_lists", schema="public")
            assert await subscribed(channel) == "Subscribed to PostgreSQL"
            values = {"title": f"{clients.tag} changes", "tags": ["a"], "details": {"n": 1}}
            stored: Any = rows.table("scratch_lists").insert(values).execute().data[0]
            key = stored["id"]
            # One after the other: of a row that is gone nobody can say any more who was allowed to see it.
            await until(lambda: len(heard) == 1)
            rows.table("scratch_lists").update({"weight": 5}).eq("id", key).execute()
            await until(lambda: len(heard) == 2)
            rows.table("scratch_lists").delete().eq("id", key).execute()
            await until(lambda: len(heard) == 3)
            inserted, updated, deleted = _data(heard)
            assert [data["type"] for data in (inserted, updated, deleted)] == ["INSERT", "UPDATE", "DELETE"]
            assert (inserted["schema"], inserted["table"], inserted["errors"]) == ("public", "scratch_lists", None)
            assert (inserted["record"]["tags"], inserted["record"]["details"]) == (["a"], {"n": 1})
            assert {"name": "title", "type": "text"} in inserted["columns"]
            assert inserted["commit_timestamp"].endswith("Z")
            assert "old_record" not in inserted
            assert (updated["record"]["weight"], updated["old_record"]) == (5, {"id": key})
            assert (deleted["old_record"], "record" in deleted) == ({"id": key}, False)

    run(work)


@operation("Supabase Realtime", "changes of one kind, and those that pass a filter")
@writes
def test_filters(clients: Clients, rows: Client) -> None:
    async def work() -> None:
        async with connected(clients, clients.keys.secret) as client:
            heavy: list[Any] = []
            updates: list[Any] = []
            channel = client.channel(f"{clients.tag}-filters", PUBLIC)
            insert, update = RealtimePostgresChangesListenEvent.Insert, RealtimePostgresChangesListenEvent.Update
            channel.on_postgres_changes(insert, heavy.append, table="scratch_lists", filter="weight=gt.2")
            channel.on_postgres_changes(update, updates.append, table="scratch_lists")
            assert await subscribed(channel) == "Subscribed to PostgreSQL"
            for weight in (1, 3):
                rows.table("scratch_lists").insert({"title": f"{clients.tag} {weight}", "weight": weight}).execute()
            rows.table("scratch_lists").update({"tags": ["x"]}).eq("title", f"{clients.tag} 1").execute()
            await until(lambda: updates)
            assert [data["record"]["weight"] for data in _data(heavy)] == [3]
            assert [data["record"]["tags"] for data in _data(updates)] == [["x"]]

    run(work)


@operation("Supabase Realtime", "a table that is not published, or that there is not")
def test_an_unknown_table(clients: Clients) -> None:
    async def work() -> None:
        async with connected(clients, clients.keys.secret) as client:
            channel = client.channel(f"{clients.tag}-unknown", PUBLIC)
            channel.on_postgres_changes(ANY, lambda _: None, table="nothing", schema="public")
            states: list[Any] = []
            await channel.subscribe(lambda state, error: states.append((state.value, str(error))))
            assert states[0][0] == "SUBSCRIBED"
            await until(lambda: len(states) > 1)
            assert states[1][0] == "CHANNEL_ERROR"
            assert "Unable to subscribe to changes" in states[1][1]

    run(work)


@operation("Supabase Realtime", "only a row's owner is told of its changes")
@writes
def test_row_level_security(clients: Clients, rows: Client, new_member: Any) -> None:
    owner, other = new_member(), new_member()

    async def work() -> None:
        async with connected(clients) as first, connected(clients) as second:
            heard: dict[str, list[Any]] = {owner.id: [], other.id: []}
            for client, member in ((first, owner), (second, other)):
                await as_member(client, member)
                channel = client.channel(f"{clients.tag}-owners", PUBLIC)
                channel.on_postgres_changes(ANY, heard[member.id].append, table="scratch_lists")
                assert await subscribed(channel) == "Subscribed to PostgreSQL"
            for member in (other, owner):
                rows.table("scratch_lists").insert({"title": f"{clients.tag} {member.id}", "owner": member.id}).execute()
            await until(lambda: all(heard.values()))
            await asyncio.sleep(0.5)
            for member in (owner, other):
                assert [data["record"]["owner"] for data in _data(heard[member.id])] == [member.id]

    run(work)


@operation("Supabase Realtime", "a document's owner is told of its job")
@writes
def test_job_changes(clients: Clients, member: Member) -> None:
    service = clients.supabase(clients.keys.secret, schema=SCHEMA)
    key = str(uuid.uuid4())
    document: dict[str, Any] = {"document_id": key, "user_id": member.id, "filename": "a.pdf", "mime": "application/pdf"}
    document |= {"bytes_len": 1, "file_sha256": key, "raw_path": "case"}

    async def work() -> None:
        async with connected(clients) as client:
            heard: list[Any] = []
            await as_member(client, member)
            channel = client.channel(f"{clients.tag}-jobs", PUBLIC)
            channel.on_postgres_changes(ANY, heard.append, table="upload_jobs", schema=SCHEMA)
            assert await subscribed(channel) == "Subscribed to PostgreSQL"
            service.table("documents").insert(document).execute()
            service.table("upload_jobs").insert({"document_id": key, "status": "complete", "state": "done"}).execute()
            await until(lambda: heard)
            assert _data(heard)[0]["record"]["document_id"] == key

    try:
        run(work)
    finally:
        service.table("documents").delete().eq("document_id", key).execute()


@operation("Supabase Realtime", "a channel with changes and a broadcast")
def test_two_things_on_one_channel(clients: Clients) -> None:
    async def work() -> None:
        async with connected(clients) as client:
            channel = client.channel(f"{clients.tag}-both", PUBLIC).on_broadcast("news", lambda _: None)
            channel.on_postgres_changes(ANY, lambda _: None, table="upload_jobs", schema=SCHEMA)
            state, error = await joined(channel)
            assert (state.value, error) == ("SUBSCRIBED", None)
            assert channel.postgres_changes_callbacks[0].id

    run(work)
