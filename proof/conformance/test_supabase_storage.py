"""Supabase Storage: buckets and signed URLs, as `storage3` uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from storage3.exceptions import StorageApiError
from storage3.types import CreateSignedUploadUrlOptions

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

TEXT = {"content-type": "text/plain"}
Make = Callable[..., str]


@pytest.fixture
def storage(clients: Clients) -> Any:
    """Storage as the service key reaches it."""
    return clients.supabase(clients.keys.secret).storage


@pytest.fixture
def make(storage: Any, clients: Clients) -> Iterator[Make]:
    """Makes buckets of one case."""
    made: list[str] = []

    def create(**options: Any) -> str:
        made.append(f"{clients.tag}-{len(made)}")
        storage.create_bucket(made[-1], options=options or None)
        return made[-1]

    yield create
    for name in made:
        storage.empty_bucket(name)
        storage.delete_bucket(name)


@operation("Supabase Storage", "create, read and list buckets")
@writes
def test_a_bucket_is_listed(storage: Any, make: Make) -> None:
    name = make(public=True, file_size_limit="1KB", allowed_mime_types=["text/*"])
    bucket = storage.get_bucket(name)
    assert (bucket.id, bucket.name, bucket.public) == (name, name, True)
    assert (bucket.file_size_limit, bucket.allowed_mime_types) == (1024, ["text/*"])
    assert name in {entry.id for entry in storage.list_buckets()}


@operation("Supabase Storage", "create a bucket twice")
@writes
def test_a_bucket_exists_once(storage: Any, make: Make) -> None:
    name = make()
    with pytest.raises(StorageApiError) as refused:
        storage.create_bucket(name)
    assert (str(refused.value.status), refused.value.code) == ("409", "Duplicate")


@operation("Supabase Storage", "update a bucket")
@writes
def test_a_bucket_can_be_changed(storage: Any, make: Make) -> None:
    name = make()
    assert storage.update_bucket(name, {"public": True, "file_size_limit": 10})["message"] == "Successfully updated"
    assert (storage.get_bucket(name).public, storage.get_bucket(name).file_size_limit) == (True, 10)


@operation("Supabase Storage", "a bucket that does not exist")
def test_an_unknown_bucket(storage: Any, clients: Clients) -> None:
    with pytest.raises(StorageApiError) as refused:
        storage.get_bucket(f"{clients.tag}-nothing")
    assert (str(refused.value.status), refused.value.code) == ("404", "Bucket not found")


@operation("Supabase Storage", "delete a bucket that is not empty")
@writes
def test_a_full_bucket_stays(storage: Any, make: Make) -> None:
    name = make()
    storage.from_(name).upload("a.txt", b"x", TEXT)
    with pytest.raises(StorageApiError) as refused:
        storage.delete_bucket(name)
    assert str(refused.value.status) == "409"
    assert refused.value.message == "The bucket you tried to delete is not empty"


@operation("Supabase Storage", "limits of a bucket: size and type")
@writes
def test_limits_are_kept(storage: Any, make: Make) -> None:
    files = storage.from_(make(file_size_limit=4, allowed_mime_types=["text/plain"]))
    with pytest.raises(StorageApiError) as refused:
        files.upload("a.txt", b"12345", TEXT)
    assert str(refused.value.status) == "413"
    assert refused.value.message == "The object exceeded the maximum allowed size"
    with pytest.raises(StorageApiError) as refused:
        files.upload("a.png", b"1", {"content-type": "image/png"})
    assert (str(refused.value.status), refused.value.code) == ("415", "invalid_mime_type")
    assert files.list() == []


@operation("Supabase Storage", "the anonymous key sees no private bucket and makes none")
@writes
def test_the_anonymous_key(clients: Clients) -> None:
    storage = clients.supabase(clients.keys.publishable).storage
    assert "files" not in {bucket.id for bucket in storage.list_buckets()}
    with pytest.raises(StorageApiError) as refused:
        storage.create_bucket(f"{clients.tag}-intruder")
    assert (str(refused.value.status), refused.value.code) == ("403", "Unauthorized")


@operation("Supabase Storage", "the address of an object in a public bucket")
@writes
def test_public_addresses(storage: Any, make: Make) -> None:
    public, private = make(public=True), make()
    for name in (public, private):
        storage.from_(name).upload("a b.txt", b"hello", TEXT)
    shown = httpx.get(storage.from_(public).get_public_url("a b.txt", {"download": "c.txt"}))
    assert (shown.status_code, shown.content) == (200, b"hello")
    assert "filename=c.txt" in shown.headers["content-disposition"]
    hidden = httpx.get(storage.from_(private).get_public_url("a b.txt"))
    assert (hidden.status_code, hidden.json()["statusCode"]) == (400, "404")


@operation("Supabase Storage", "a signed address shows an object for a while")
@writes
def test_a_signed_address(storage: Any, make: Make) -> None:
    files = storage.from_(make())
    files.upload("in/a.txt", b"hello", TEXT)
    url = files.create_signed_url("in/a.txt", 60, {"download": True})["signedURL"]
    shown = httpx.get(url)
    assert (shown.status_code, shown.content) == (200, b"hello")
    assert shown.headers["content-disposition"].startswith("attachment")
    altered = httpx.get(url.replace("token=", "token=x"))
    assert altered.status_code == 400
    assert altered.json()["error"] == "InvalidJWT"
    other = httpx.get(url.replace("in/a.txt", "in/b.txt"))
    assert (other.status_code, other.json()["error"]) == (400, "InvalidSignature")


@operation("Supabase Storage", "sign an object that does not exist")
@writes
def test_nothing_to_sign(storage: Any, make: Make) -> None:
    with pytest.raises(StorageApiError) as refused:
        storage.from_(make()).create_signed_url("nothing.txt", 60)
    assert (str(refused.value.status), refused.value.code) == ("404", "not_found")


@operation("Supabase Storage", "several signed addresses at once")
@writes
def test_several_signed_addresses(storage: Any, make: Make) -> None:
    files = storage.from_(make())
    files.upload("a.txt", b"hello", TEXT)
    found = {entry["path"]: entry for entry in files.create_signed_urls(["a.txt", "nothing.txt"], 60)}
    assert httpx.get(found["a.txt"]["signedURL"]).content == b"hello"
    assert found["a.txt"]["error"] is None
    assert found["nothing.txt"]["signedURL"] is None
    assert found["nothing.txt"]["error"] == "Either the object does not exist or you do not have access to it"


@operation("Supabase Storage", "a signed address takes one upload, without any key")
@writes
def test_a_signed_upload(storage: Any, make: Make) -> None:
    files = storage.from_(make())
    signed = files.create_signed_upload_url("in/a.txt")
    stored = files.upload_to_signed_url(signed["path"], signed["token"], b"hello", TEXT)
    assert stored.path == "in/a.txt"
    assert files.download("in/a.txt") == b"hello"
    with pytest.raises(StorageApiError) as refused:
        files.upload_to_signed_url(signed["path"], signed["token"], b"again", TEXT)
    assert (str(refused.value.status), refused.value.code) == ("409", "Duplicate")
    assert httpx.put(signed["signed_url"], content=b"bare").status_code in (400, 409)


@operation("Supabase Storage", "a signed address that may replace")
@writes
def test_a_signed_upload_that_replaces(storage: Any, make: Make) -> None:
    files = storage.from_(make())
    files.upload("a.txt", b"one", TEXT)
    with pytest.raises(StorageApiError) as refused:
        files.create_signed_upload_url("a.txt")
    assert str(refused.value.status) == "409"
    signed = files.create_signed_upload_url("a.txt", CreateSignedUploadUrlOptions(upsert="true"))
    for body in (b"two", b"three"):
        files.upload_to_signed_url("a.txt", signed["token"], body, TEXT)
    assert files.download("a.txt") == b"three"


@operation("Supabase Storage", "a signed address for another object")
@writes
def test_a_signed_upload_elsewhere(storage: Any, make: Make) -> None:
    files = storage.from_(make())
    signed = files.create_signed_upload_url("a.txt")
    with pytest.raises(StorageApiError) as refused:
        files.upload_to_signed_url("b.txt", signed["token"], b"x", TEXT)
    assert (str(refused.value.status), refused.value.code) == ("400", "InvalidSignature")
