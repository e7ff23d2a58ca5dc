"""PostgREST as `postgrest` uses it, on the tables of the pipeline with the service key."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from postgrest.exceptions import APIError

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes

SCHEMA = "upload_pipeline"
Store = Callable[..., dict[str, Any]]


@pytest.fixture
def rows(clients: Clients) -> Any:
    """The pipeline's tables as the service key reaches them."""
    return clients.supabase(clients.keys.secret, schema=SCHEMA)


@pytest.fixture
def document(rows: Any) -> Iterator[Store]:
    """Stores documents of nobody, which are removed afterwards."""
    made: list[str] = []

    def store(**values: Any) -> dict[str, Any]:
        made.append(str(uuid.uuid4()))
        stored = rows.table("documents").insert(of(made[-1], **values)).execute()
        return dict(stored.data[0])

    yield store
    if made:
        rows.table("documents").delete().in_("document_id", made).execute()


def of(document_id: str, **values: Any) -> dict[str, Any]:
    """A document's row."""
    given = {"user_id": str(uuid.uuid4()), "filename": "a.pdf", "mime": "application/pdf", "bytes_len": 1}
    return {"document_id": document_id, "file_sha256": document_id, "raw_path": "case"} | given | values


@operation("PostgREST", "insert a row and have it returned")
@writes
def test_insert_returns_the_row(document: Store) -> None:
    stored = document(bytes_len=7, filename="b.pdf")
    assert (stored["bytes_len"], stored["filename"]) == (7, "b.pdf")
    assert stored["created_at"]


@operation("PostgREST", "select columns, renamed and cast")
@writes
def test_select_columns(rows: Any, document: Store) -> None:
    key = document(bytes_len=7)["document_id"]
    found = rows.table("documents").select("size:bytes_len::text, filename").eq("document_id", key).execute()
    assert found.data == [{"size": "7", "filename": "a.pdf"}]


@operation("PostgREST", "comparisons")
@writes
def test_comparisons(rows: Any, document: Store) -> None:
    user = str(uuid.uuid4())
    for size in (1, 2, 3):
        document(user_id=user, bytes_len=size, filename=f"f{size}.pdf")

    def sizes(query: Any) -> list[int]:
        return [row["bytes_len"] for row in query.eq("user_id", user).order("bytes_len").execute().data]

    table = rows.table("documents")
    assert sizes(table.select("*").gt("bytes_len", 1)) == [2, 3]
    assert sizes(table.select("*").gte("bytes_len", 2).lt("bytes_len", 3)) == [2]
    assert sizes(table.select("*").neq("bytes_len", 2)) == [1, 3]
    assert sizes(table.select("*").in_("bytes_len", [1, 3])) == [1, 3]
    assert sizes(table.select("*").like("filename", "f%.pdf")) == [1, 2, 3]
    assert sizes(table.select("*").ilike("filename", "F2*")) == [2]
    assert sizes(table.select("*").is_("parsed_path", None)) == [1, 2, 3]
    assert sizes(table.select("*").not_.is_("parsed_path", None)) == []
    assert sizes(table.select("*").or_("bytes_len.eq.1,and(bytes_len.gt.2,filename.like.f*)")) == [1, 3]


@operation("PostgREST", "order, limit and range with a count")
@writes
def test_pages(rows: Any, document: Store) -> None:
    user = str(uuid.uuid4())
    for size in (1, 2, 3):
        document(user_id=user, bytes_len=size)
    query = rows.table("documents").select("bytes_len", count="exact").eq("user_id", user)
    found = query.order("bytes_len", desc=True).range(0, 1).execute()
    assert [row["bytes_len"] for row in found.data] == [3, 2]
    assert found.count == 3


@operation("PostgREST", "status and Content-Range of a part of the rows")
@writes
def test_partial_content(clients: Clients, document: Store) -> None:
    user = document()["user_id"]
    document(user_id=user)
    headers = {"apikey": clients.keys.secret, "Authorization": f"Bearer {clients.keys.secret}", "Accept-Profile": SCHEMA}
    url = f"{clients.urls.supabase}/rest/v1/documents?select=document_id&user_id=eq.{user}"
    part = httpx.get(f"{url}&limit=1", headers=headers | {"Prefer": "count=exact"})
    assert (part.status_code, part.headers["content-range"]) == (206, "0-0/2")
    whole = httpx.get(url, headers=headers)
    assert (whole.status_code, whole.headers["content-range"]) == (200, "0-1/*")
    beyond = httpx.get(f"{url}&offset=9", headers=headers | {"Prefer": "count=exact"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "PGRST103")


@operation("PostgREST", "only the count, by HEAD")
@writes
def test_head(rows: Any, document: Store) -> None:
    user = document()["user_id"]
    found = rows.table("documents").select("*", count="exact", head=True).eq("user_id", user).execute()
    assert (found.data, found.count) == ([], 1)


@operation("PostgREST", "a single row, and none where one is wanted")
@writes
def test_single(rows: Any, document: Store) -> None:
    key = document()["document_id"]
    assert rows.table("documents").select("document_id").eq("document_id", key).single().execute().data == {"document_id": key}
    with pytest.raises(APIError) as refused:
        rows.table("documents").select("*").eq("document_id", str(uuid.uuid4())).single().execute()
    assert refused.value.code == "PGRST116"
    assert refused.value.message == "Cannot coerce the result to a single JSON object"
    assert refused.value.details == "The result contains 0 rows"


@operation("PostgREST", "a row that there may be")
def test_maybe_single(rows: Any) -> None:
    assert rows.table("documents").select("*").eq("document_id", str(uuid.uuid4())).maybe_single().execute() is None


@operation("PostgREST", "embed related rows in both directions")
@writes
def test_embedding(rows: Any, document: Store) -> None:
    key = document(filename="mine.pdf")["document_id"]
    job = rows.table("upload_jobs").insert({"document_id": key, "status": "complete", "state": "done"}).execute().data[0]
    found = rows.table("documents").select("filename, upload_jobs(job_id, status)").eq("document_id", key).execute()
    assert found.data == [{"filename": "mine.pdf", "upload_jobs": [{"job_id": job["job_id"], "status": "complete"}]}]
    found = rows.table("upload_jobs").select("status, of:documents!inner(filename)").eq("of.filename", "mine.pdf")
    assert found.eq("job_id", job["job_id"]).execute().data == [{"status": "complete", "of": {"filename": "mine.pdf"}}]
    nothing = rows.table("upload_jobs").select("status, documents!inner(filename)").eq("job_id", job["job_id"])
    assert nothing.eq("documents.filename", "other.pdf").execute().data == []


@operation("PostgREST", "a JSON column: a path in it, and what it contains")
@writes
def test_json(rows: Any, document: Store) -> None:
    key = document()["document_id"]
    values = {"document_id": key, "status": "complete", "state": "done", "progress": {"pages": {"done": 3}}}
    rows.table("upload_jobs").insert(values).execute()
    query = rows.table("upload_jobs").select("progress->pages->>done").eq("document_id", key)
    assert query.eq("progress->pages->>done", "3").execute().data == [{"done": "3"}]
    found = rows.table("upload_jobs").select("status").eq("document_id", key).contains("progress", {"pages": {"done": 3}})
    assert found.execute().data == [{"status": "complete"}]


@operation("PostgREST", "insert a row that is there already")
@writes
def test_duplicates(rows: Any, document: Store) -> None:
    key = document()["document_id"]
    with pytest.raises(APIError) as refused:
        rows.table("documents").insert(of(key)).execute()
    assert refused.value.code == "23505"
    assert "duplicate key value" in str(refused.value.message)


@operation("PostgREST", "insert what breaks a foreign key or a check")
@writes
def test_constraints(rows: Any, document: Store) -> None:
    with pytest.raises(APIError) as refused:
        rows.table("upload_jobs").insert({"document_id": str(uuid.uuid4()), "status": "complete"}).execute()
    assert refused.value.code == "23503"
    with pytest.raises(APIError) as refused:
        rows.table("upload_jobs").insert({"document_id": document()["document_id"], "status": "nonsense"}).execute()
    assert refused.value.code == "23514"


@operation("PostgREST", "upsert: merge, or leave what is there")
@writes
def test_upsert(rows: Any, document: Store) -> None:
    stored = document(filename="old.pdf")
    merged = rows.table("documents").upsert(of(stored["document_id"], filename="new.pdf")).execute()
    assert merged.data[0]["filename"] == "new.pdf"
    ignored = rows.table("documents").upsert(of(stored["document_id"], filename="newer.pdf"), ignore_duplicates=True).execute()
    assert ignored.data == []
    again = of(str(uuid.uuid4()), user_id=merged.data[0]["user_id"], file_sha256=stored["document_id"], filename="x.pdf")
    again["document_id"] = stored["document_id"]
    found = rows.table("documents").upsert(again, on_conflict="user_id,file_sha256").execute()
    assert found.data[0]["filename"] == "x.pdf"


@operation("PostgREST", "update and delete, with and without the rows")
@writes
def test_update_and_delete(rows: Any, document: Store) -> None:
    key = document()["document_id"]
    changed = rows.table("documents").update({"filename": "new.pdf"}).eq("document_id", key).execute()
    assert changed.data[0]["filename"] == "new.pdf"
    silent = rows.table("documents").update({"filename": "newer.pdf"}, returning="minimal", count="exact")
    found = silent.eq("document_id", key).execute()
    assert (found.data, found.count) == ([], 1)
    removed = rows.table("documents").delete().eq("document_id", key).execute()
    assert [row["filename"] for row in removed.data] == ["newer.pdf"]
    assert rows.table("documents").delete().eq("document_id", key).execute().data == []


@operation("PostgREST", "comma-separated values")
@writes
def test_csv(rows: Any, document: Store) -> None:
    key = document()["document_id"]
    found = rows.table("documents").select("document_id, filename").eq("document_id", key).csv().execute()
    assert found.data.splitlines() == ["document_id,filename", f"{key},a.pdf"]


@operation("PostgREST", "a user sees the own rows only")
@writes
def test_row_level_security(signed_in: tuple[Any, Member], document: Store, clients: Clients) -> None:
    client, member = signed_in
    mine = document(user_id=member.id)["document_id"]
    document()
    found = client.schema(SCHEMA).table("documents").select("document_id").execute()
    assert [row["document_id"] for row in found.data] == [mine]
    with pytest.raises(APIError) as refused:
        client.schema(SCHEMA).table("documents").insert(of(str(uuid.uuid4()), user_id=member.id)).execute()
    assert refused.value.code == "42501"
