"""Supabase's tables as an application developer uses them, through Supabase's own client."""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from postgrest import APIError, APIResponse, CountMethod
from supabase import Client

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes

SCHEMA = "upload_pipeline"


def document(owner: Member, filename: str = "policy.pdf") -> dict[str, Any]:
    """A row of `documents` that this user owns."""
    made = str(uuid.uuid4())
    return {
        "document_id": made,
        "user_id": owner.id,
        "filename": filename,
        "mime": "application/pdf",
        "bytes_len": 1234,
        "file_sha256": hashlib.sha256(made.encode()).hexdigest(),
        "raw_path": f"files/user/{owner.id}/raw/{made[:8]}.pdf",
    }


def job(of: str, status: str = "complete", state: str = "done") -> dict[str, Any]:
    """A row of `upload_jobs` that no worker claims."""
    return {"job_id": str(uuid.uuid4()), "document_id": of, "status": status, "state": state}


def rows(answer: APIResponse) -> list[dict[str, Any]]:
    """The rows of an answer."""
    return [row for row in answer.data if isinstance(row, dict)]


@pytest.fixture
def tables(clients: Clients, member: Member) -> Iterator[Client]:
    """The service key's client of the schema; the member's rows are removed afterwards."""
    client = clients.supabase(clients.keys.secret, SCHEMA)
    yield client
    owned = rows(client.table("documents").select("document_id").eq("user_id", member.id).execute())
    ids = [row["document_id"] for row in owned]
    if ids:
        client.table("upload_jobs").delete().in_("document_id", ids).execute()
        client.table("documents").delete().in_("document_id", ids).execute()


def as_user(clients: Clients, user: Member) -> Client:
    """A client of the schema, signed in as this user."""
    client = clients.supabase(clients.keys.publishable, SCHEMA)
    client.auth.sign_in_with_password({"email": user.email, "password": user.password})
    return client


@operation("PostgREST", "insert a row, then read it as its owner and as another user")
@writes
def test_rows_are_seen_by_their_owner(
    clients: Clients, tables: Client, member: Member, new_member: Callable[[], Member]
) -> None:
    row = document(member)
    made = rows(tables.table("documents").insert(row).execute())
    assert len(made) == 1
    assert made[0]["document_id"] == row["document_id"]
    assert made[0]["created_at"] is not None
    for user, seen in ((member, [row["document_id"]]), (new_member(), [])):
        found = rows(as_user(clients, user).table("documents").select("document_id").execute())
        assert [item["document_id"] for item in found] == seen


@operation("PostgREST", "insert what a constraint forbids")
@writes
def test_constraints_are_named_by_their_code(tables: Client, member: Member) -> None:
    row = document(member)
    tables.table("documents").insert(row).execute()
    with pytest.raises(APIError) as twice:
        tables.table("documents").insert(row | {"document_id": str(uuid.uuid4())}).execute()
    assert twice.value.code == "23505"
    with pytest.raises(APIError) as orphan:
        tables.table("upload_jobs").insert(job(str(uuid.uuid4()))).execute()
    assert orphan.value.code == "23503"
    with pytest.raises(APIError) as bogus:
        tables.table("upload_jobs").insert(job(row["document_id"], status="no_such_status")).execute()
    assert bogus.value.code == "23514"


@operation("PostgREST", "write a row as a user without the right to")
@writes
def test_a_user_inserts_nothing(clients: Clients, tables: Client, member: Member) -> None:
    row = document(member)
    with pytest.raises(APIError) as refused:
        as_user(clients, member).table("documents").insert(row).execute()
    assert refused.value.code == "42501"
    assert rows(tables.table("documents").select("*").eq("document_id", row["document_id"]).execute()) == []


@operation("PostgREST", "upsert a row twice")
@writes
def test_an_upsert_changes_the_row_in_place(tables: Client, member: Member) -> None:
    row = document(member)
    tables.table("documents").upsert(row, on_conflict="document_id").execute()
    again = tables.table("documents").upsert(row | {"filename": "renamed.pdf"}, on_conflict="document_id").execute()
    assert [item["filename"] for item in rows(again)] == ["renamed.pdf"]
    counted = tables.table("documents").select("*", count=CountMethod.exact, head=True).eq("user_id", member.id).execute()
    assert counted.count == 1
    assert counted.data == []


@operation("PostgREST", "page through rows with an exact count, an order and an embedded table")
@writes
def test_rows_are_paged_counted_and_embedded(tables: Client, member: Member) -> None:
    made = [document(member, f"{name}.pdf") for name in "bac"]
    tables.table("documents").insert(made).execute()
    tables.table("upload_jobs").insert(job(made[0]["document_id"])).execute()
    query = tables.table("documents").select("filename, upload_jobs(status)", count=CountMethod.exact)
    page = query.eq("user_id", member.id).order("filename", desc=True).range(1, 2).execute()
    assert page.count == 3
    assert rows(page) == [
        {"filename": "b.pdf", "upload_jobs": [{"status": "complete"}]},
        {"filename": "a.pdf", "upload_jobs": []},
    ]


@operation("PostgREST", "ask for one row where there is none")
def test_one_row_of_none(clients: Clients) -> None:
    client = clients.supabase(clients.keys.secret, SCHEMA)
    with pytest.raises(APIError) as refused:
        client.table("documents").select("*").eq("document_id", str(uuid.uuid4())).single().execute()
    assert refused.value.code == "PGRST116"
    assert client.table("documents").select("*").eq("document_id", str(uuid.uuid4())).maybe_single().execute() is None


@operation("PostgREST", "ask for a column, a table, a value and a schema that do not exist")
def test_what_does_not_exist_is_named_by_its_code(clients: Clients) -> None:
    client = clients.supabase(clients.keys.secret, SCHEMA)
    for query, code in (
        (client.table("documents").select("no_such_column"), "42703"),
        (client.table("no_such_table").select("*"), "PGRST205"),
        (client.table("documents").select("*").eq("document_id", "not-a-uuid"), "22P02"),
        (client.schema("no_such_schema").from_("documents").select("*"), "PGRST106"),
    ):
        with pytest.raises(APIError) as refused:
            query.execute()
        assert refused.value.code == code
