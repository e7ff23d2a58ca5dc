"""Supabase Storage: objects, as `storage3` uses them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import supabase
from storage3.exceptions import StorageApiError

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes

TEXT: Any = {"content-type": "text/plain"}


@pytest.fixture
def bucket(clients: Clients) -> Iterator[str]:
    """A private bucket of one case."""
    storage, name = clients.supabase(clients.keys.secret).storage, f"{clients.tag}-objects"
    storage.create_bucket(name)
    yield name
    storage.empty_bucket(name)
    storage.delete_bucket(name)


@pytest.fixture
def objects(clients: Clients, bucket: str) -> Any:
    """The bucket as the service key reaches it."""
    return clients.supabase(clients.keys.secret).storage.from_(bucket)


def _refused(status: str, code: str, error: StorageApiError) -> None:
    assert str(error.status) == status
    assert error.code == code


@operation("Supabase Storage", "upload a file and download it")
@writes
def test_a_file_comes_back(objects: Any, bucket: str) -> None:
    stored = objects.upload("folder/a.txt", b"hello", TEXT)
    assert (stored.path, stored.full_path) == ("folder/a.txt", f"{bucket}/folder/a.txt")
    assert objects.download("folder/a.txt") == b"hello"


@operation("Supabase Storage", "upload over a file that is there already")
@writes
def test_a_second_upload_is_a_duplicate(objects: Any) -> None:
    objects.upload("a.txt", b"one", TEXT)
    with pytest.raises(StorageApiError) as refused:
        objects.upload("a.txt", b"two", TEXT)
    _refused("409", "Duplicate", refused.value)
    assert refused.value.message == "The resource already exists"
    assert objects.download("a.txt") == b"one"


@operation("Supabase Storage", "upload with upsert, and update")
@writes
def test_upsert_and_update_replace(objects: Any) -> None:
    objects.upload("a.txt", b"one", TEXT)
    objects.upload("a.txt", b"two", TEXT | {"upsert": "true"})
    assert objects.download("a.txt") == b"two"
    objects.update("a.txt", b"three", TEXT)
    assert objects.download("a.txt") == b"three"


@operation("Supabase Storage", "download an object that does not exist")
def test_an_unknown_object_is_not_found(clients: Clients) -> None:
    files = clients.supabase(clients.keys.secret).storage.from_("files")
    with pytest.raises(StorageApiError) as refused:
        files.download(f"{clients.tag}/nothing.pdf")
    _refused("404", "not_found", refused.value)
    assert refused.value.message == "Object not found"


@operation("Supabase Storage", "HTTP status of a refusal, whose true code is in the body")
def test_refusals_are_bad_requests(clients: Clients) -> None:
    headers = {"apikey": clients.keys.secret, "Authorization": f"Bearer {clients.keys.secret}"}
    reply = httpx.get(f"{clients.urls.supabase}/storage/v1/object/files/{clients.tag}/nothing.pdf", headers=headers)
    assert reply.status_code == 400
    assert reply.json()["statusCode"] == "404"


@operation("Supabase Storage", "information about an object, and whether it exists")
@writes
def test_information(objects: Any) -> None:
    objects.upload("a.txt", b"hello", TEXT | {"cache-control": "60", "metadata": {"origin": "case"}})
    info = objects.info("a.txt")
    assert (info["name"], info["size"], info["content_type"]) == ("a.txt", 5, "text/plain")
    assert info["cache_control"] == "max-age=60"
    assert info["metadata"] == {"origin": "case"}
    assert objects.exists("a.txt") is True
    assert objects.exists("b.txt") is False


@operation("Supabase Storage", "list a folder: folders have no id, objects have metadata")
@writes
def test_a_listing_shows_one_level(objects: Any) -> None:
    for name in ("top.txt", "sub/a.txt", "sub/b.txt", "sub/deep/c.txt"):
        objects.upload(name, b"x", TEXT)
    top = {entry["name"]: entry for entry in objects.list()}
    assert top.keys() == {"top.txt", "sub"}
    assert top["sub"]["id"] is None
    assert top["sub"]["metadata"] is None
    assert top["top.txt"]["metadata"]["mimetype"] == "text/plain"
    assert {entry["name"] for entry in objects.list("sub")} == {"a.txt", "b.txt", "deep"}


@operation("Supabase Storage", "list with limit, offset, order and search")
@writes
def test_a_listing_can_be_cut(objects: Any) -> None:
    for name in ("a1.txt", "a2.txt", "b1.txt"):
        objects.upload(f"in/{name}", b"x", TEXT)
    names = [entry["name"] for entry in objects.list("in", {"limit": 2, "offset": 1})]
    assert names == ["a2.txt", "b1.txt"]
    names = [entry["name"] for entry in objects.list("in", {"sortBy": {"column": "name", "order": "desc"}})]
    assert names == ["b1.txt", "a2.txt", "a1.txt"]
    assert [entry["name"] for entry in objects.list("in", {"search": "b"})] == ["b1.txt"]


@operation("Supabase Storage", "list, second version, page by page")
@writes
def test_the_second_listing_has_pages(objects: Any) -> None:
    for name in ("a.txt", "b.txt", "c/d.txt"):
        objects.upload(name, b"x", TEXT)
    first = objects.list_v2({"limit": 2, "with_delimiter": True})
    assert first.hasNext is True
    assert [entry.name for entry in first.objects] == ["a.txt", "b.txt"]
    second = objects.list_v2({"limit": 2, "with_delimiter": True, "cursor": first.nextCursor})
    assert second.hasNext is False
    assert [folder.name for folder in second.folders] == ["c/"]


@operation("Supabase Storage", "move and copy")
@writes
def test_move_and_copy(objects: Any, bucket: str) -> None:
    objects.upload("a.txt", b"hello", TEXT)
    assert objects.move("a.txt", "b.txt")["message"] == "Successfully moved"
    assert objects.copy("b.txt", "c.txt")["Key"] == f"{bucket}/c.txt"
    assert objects.download("b.txt") == objects.download("c.txt") == b"hello"
    with pytest.raises(StorageApiError) as refused:
        objects.move("a.txt", "d.txt")
    _refused("404", "not_found", refused.value)
    with pytest.raises(StorageApiError) as refused:
        objects.copy("b.txt", "c.txt")
    _refused("409", "Duplicate", refused.value)


@operation("Supabase Storage", "remove several objects; those that are not there are left out")
@writes
def test_removal(objects: Any) -> None:
    objects.upload("a.txt", b"hello", TEXT)
    objects.upload("b.txt", b"hello", TEXT)
    assert {row["name"] for row in objects.remove(["a.txt", "b.txt", "nothing.txt"])} == {"a.txt", "b.txt"}
    assert objects.list() == []


@operation("Supabase Storage", "a key that no object may have")
@writes
def test_a_bad_key_is_refused(objects: Any) -> None:
    with pytest.raises(StorageApiError) as refused:
        objects.upload("a[b].txt", b"x", TEXT)
    _refused("400", "InvalidKey", refused.value)


@operation("Supabase Storage", "download a part, and nothing when the ETag is known")
@writes
def test_ranges_and_etags(objects: Any, clients: Clients, bucket: str) -> None:
    objects.upload("a.txt", b"0123456789", TEXT)
    url = f"{clients.urls.supabase}/storage/v1/object/{bucket}/a.txt"
    headers = {"apikey": clients.keys.secret, "Authorization": f"Bearer {clients.keys.secret}"}
    whole = httpx.get(url, headers=headers)
    assert whole.headers["cache-control"] == "max-age=3600"
    part = httpx.get(url, headers=headers | {"Range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    again = httpx.get(url, headers=headers | {"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert httpx.head(url, headers=headers).headers["content-length"] == "10"


@operation("Supabase Storage", "the bare bytes as the body of an upload")
@writes
def test_a_bare_body(objects: Any, clients: Clients, bucket: str) -> None:
    headers = {"apikey": clients.keys.secret, "Authorization": f"Bearer {clients.keys.secret}", "Content-Type": "text/csv"}
    reply = httpx.post(f"{clients.urls.supabase}/storage/v1/object/{bucket}/a.csv", headers=headers, content=b"a,b")
    assert reply.status_code == 200
    assert reply.json()["Key"] == f"{bucket}/a.csv"
    assert objects.info("a.csv")["content_type"] == "text/csv"


@operation("Supabase Storage", "the asynchronous client")
@writes
def test_the_asynchronous_client(clients: Clients, bucket: str) -> None:
    async def work() -> bytes:
        client = await clients.supabase_async(clients.keys.secret)
        files = client.storage.from_(bucket)
        await files.upload("a.json", json.dumps({"a": 1}).encode(), {"content-type": "application/json"})
        return bytes(await files.download("a.json"))

    assert json.loads(asyncio.run(work())) == {"a": 1}


@operation("Supabase Storage", "a user without a policy sees and stores nothing")
@writes
def test_policies_decide(signed_in: tuple[supabase.Client, Member], objects: Any, bucket: str) -> None:
    client, _ = signed_in
    objects.upload("a.txt", b"hello", TEXT)
    assert client.storage.from_(bucket).list() == []
    with pytest.raises(StorageApiError) as refused:
        client.storage.from_(bucket).download("a.txt")
    _refused("404", "not_found", refused.value)
    with pytest.raises(StorageApiError) as refused:
        client.storage.from_(bucket).upload("b.txt", b"x", TEXT)
    _refused("403", "Unauthorized", refused.value)
    assert refused.value.message == "new row violates row-level security policy"


@operation("Supabase Storage", "a token that is not one")
def test_a_broken_token_is_refused(clients: Clients) -> None:
    headers = {"apikey": clients.keys.publishable, "Authorization": "Bearer not-a-token"}
    reply = httpx.post(f"{clients.urls.supabase}/storage/v1/object/list/files", headers=headers, json={"prefix": ""})
    assert reply.status_code == 400
    assert reply.json()["statusCode"] == "403"
    assert reply.json()["error"] == "Unauthorized"
