"""PostgREST on a table with more kinds of columns, and on functions: somebody else's, in a twin only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from postgrest.exceptions import APIError

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes


@pytest.fixture
def lists(clients: Clients) -> Iterator[Any]:
    """The client with three rows of one case; skipped on a live target, which has no such tables."""
    if clients.is_live:
        pytest.skip("the project has no scratch tables, and cases create none")
    client = clients.supabase(clients.keys.secret)
    rows = [
        {"title": f"{clients.tag} a", "tags": ["x", "y"], "weight": 1, "due": None, "details": {"n": 1}},
        {"title": f"{clients.tag} b", "tags": ["y"], "weight": 2.5, "due": "2026-01-02", "details": {"n": 2}},
        {"title": f"{clients.tag} c", "tags": [], "weight": 3, "due": "2026-01-03", "details": {"n": 3}},
    ]
    client.rpc("scratch_clear", {"prefix": clients.tag}).execute()
    client.table("scratch_lists").insert(rows).execute()
    yield client
    client.rpc("scratch_clear", {"prefix": clients.tag}).execute()


def _last(query: Any) -> list[str]:
    return [row["title"][-1] for row in query.execute().data]


@operation("PostgREST", "arrays: contains, contained by, overlaps")
@writes
def test_arrays(lists: Any) -> None:
    table = lists.table("scratch_lists")
    assert _last(table.select("title").contains("tags", ["x"])) == ["a"]
    assert _last(table.select("title").contained_by("tags", ["y"]).order("title")) == ["b", "c"]
    assert _last(table.select("title").overlaps("tags", ["y", "z"]).order("title")) == ["a", "b"]


@operation("PostgREST", "order with nulls, and by several columns")
@writes
def test_order_of_nulls(lists: Any) -> None:
    table = lists.table("scratch_lists")
    assert _last(table.select("title").order("due", nullsfirst=True)) == ["a", "b", "c"]
    assert _last(table.select("title").order("due", desc=True, nullsfirst=False)) == ["c", "b", "a"]
    assert _last(table.select("title").order("due").order("title", desc=True)) == ["b", "c", "a"]


@operation("PostgREST", "regular expressions, all and any, full text")
@writes
def test_patterns(lists: Any, clients: Clients) -> None:
    table = lists.table("scratch_lists")
    assert _last(table.select("title").filter("title", "match", " [ab]$").order("title")) == ["a", "b"]
    assert _last(table.select("title").like_any_of("title", "%a,%c").order("title")) == ["a", "c"]
    assert _last(table.select("title").like_all_of("title", f"{clients.tag}%,%b")) == ["b"]
    assert _last(table.select("title").filter("title", "fts(simple)", "b")) == ["b"]
    assert _last(table.select("title").filter("title", "not.imatch", " [BC]$")) == ["a"]


@operation("PostgREST", "insert with defaults for what is missing")
@writes
def test_missing_values(lists: Any, clients: Clients) -> None:
    rows = [{"title": f"{clients.tag} d", "weight": 4}, {"title": f"{clients.tag} e"}]
    stored = lists.table("scratch_lists").insert(rows, default_to_null=False).execute().data
    assert [row["weight"] for row in stored] == [4, 1]
    with pytest.raises(APIError) as refused:
        lists.table("scratch_lists").insert(
            [{"title": f"{clients.tag} f", "weight": 4}, {"title": f"{clients.tag} g"}]
        ).execute()
    assert refused.value.code == "23502"


@operation("PostgREST", "embedded rows: their own filter, order and limit")
@writes
def test_filters_of_embedded_rows(lists: Any) -> None:
    key = lists.table("scratch_lists").select("id").like("title", "% a").execute().data[0]["id"]
    items = [{"list_id": key, "name": name, "done": name == "two"} for name in ("one", "two", "three")]
    lists.table("scratch_items").insert(items).execute()
    query = lists.table("scratch_lists").select("scratch_items(name)").eq("id", key)
    found = query.order("name", desc=True, foreign_table="scratch_items").limit(2, foreign_table="scratch_items").execute()
    assert found.data == [{"scratch_items": [{"name": "two"}, {"name": "three"}]}]
    found = lists.table("scratch_lists").select("scratch_items(name)").eq("id", key).is_("scratch_items.done", True).execute()
    assert found.data == [{"scratch_items": [{"name": "two"}]}]
    found = lists.table("scratch_items").select("name, ...scratch_lists(title)").eq("name", "one").execute()
    assert found.data[0]["title"].endswith(" a")


@operation("PostgREST", "call a function, by POST and by GET")
@writes
def test_functions(lists: Any) -> None:
    assert lists.rpc("scratch_add", {"a": 1, "b": 2}).execute().data == 3
    assert lists.rpc("scratch_add", {"a": 1}).execute().data == 2
    assert lists.rpc("scratch_add", {"a": 1, "b": 2}, get=True).execute().data == 3


@operation("PostgREST", "functions that return rows, values or nothing")
@writes
def test_rows_of_functions(lists: Any, clients: Clients) -> None:
    query = lists.rpc("scratch_heavy", {"minimum": 2}).select("title").order("title", desc=True).limit(1)
    assert query.execute().data == [{"title": f"{clients.tag} c"}]
    assert f"{clients.tag} b" in lists.rpc("scratch_titles").execute().data
    assert not lists.rpc("scratch_clear", {"prefix": f"{clients.tag} nothing"}).execute().data


@operation("PostgREST", "what a function raises")
@writes
def test_a_function_that_raises(lists: Any) -> None:
    with pytest.raises(APIError) as refused:
        lists.rpc("scratch_refuse").execute()
    error = refused.value
    assert (error.code, error.message, error.details, error.hint) == ("P0001", "not today", "closed", "try tomorrow")


@operation("PostgREST", "a function that changes something, by GET")
@writes
def test_a_reading_request_changes_nothing(lists: Any, clients: Clients) -> None:
    with pytest.raises(APIError) as refused:
        lists.rpc("scratch_clear", {"prefix": clients.tag}, get=True).execute()
    assert refused.value.code == "25006"


@operation("PostgREST", "how many rows may be affected")
@writes
def test_a_limit_of_affected_rows(lists: Any, clients: Clients) -> None:
    with pytest.raises(APIError) as refused:
        lists.table("scratch_lists").delete().like("title", f"{clients.tag}%").max_affected(2).execute()
    assert refused.value.code == "PGRST124"
    assert len(_last(lists.table("scratch_lists").select("title").like("title", f"{clients.tag}%"))) == 3


@operation("PostgREST", "nulls left out of the result")
@writes
def test_stripped_nulls(lists: Any, clients: Clients) -> None:
    query = lists.table("scratch_lists").select("due, weight").eq("title", f"{clients.tag} a").strip_nulls()
    assert query.execute().data == [{"weight": 1}]


@operation("PostgREST", "aggregates are not allowed")
@writes
def test_aggregates(lists: Any) -> None:
    with pytest.raises(APIError) as refused:
        lists.table("scratch_lists").select("weight.sum()").execute()
    assert refused.value.code == "PGRST123"


@operation("PostgREST", "the asynchronous client")
@writes
def test_the_asynchronous_client(lists: Any, clients: Clients) -> None:
    async def work() -> list[Any]:
        client = await clients.supabase_async(clients.keys.secret)
        found = await client.table("scratch_lists").select("title").like("title", f"{clients.tag}%").execute()
        return list(found.data)

    assert len(asyncio.run(work())) == 3


@operation("PostgREST", "a policy for a user's own rows, written and read")
@writes
def test_own_rows(lists: Any, signed_in: tuple[Any, Member], clients: Clients) -> None:
    client, member = signed_in
    stored = client.table("scratch_lists").insert({"title": f"{clients.tag} own"}).execute().data[0]
    assert stored["owner"] == member.id
    assert _last(client.table("scratch_lists").select("title")) == ["n"]
    with pytest.raises(APIError) as refused:
        client.table("scratch_lists").insert({"title": f"{clients.tag} other", "owner": None}).execute()
    assert refused.value.code == "42501"
    assert client.table("scratch_lists").update({"weight": 9}).eq("title", f"{clients.tag} a").execute().data == []
