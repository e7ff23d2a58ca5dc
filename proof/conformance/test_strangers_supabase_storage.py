"""Supabase's storage as an application developer uses it, through Supabase's own client."""

import secrets
from collections.abc import Iterator

import httpx
import pytest
from storage3.exceptions import StorageApiError

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
BUCKET = "files"
LIMIT = 5 * 1024 * 1024


@pytest.fixture
def folder(clients: Clients) -> Iterator[str]:
    """A folder of the bucket of one case alone; what lies in it is removed afterwards."""
    path = f"strangers/{clients.tag}-{secrets.token_hex(4)}"
    yield path
    bucket = clients.supabase(clients.keys.secret).storage.from_(BUCKET)
    left = [f"{path}/{item['name']}" for item in bucket.list(path)]
    if left:
        bucket.remove(left)


@operation("Supabase Storage", "upload an object, then read what is known of it")
@writes
def test_an_upload_keeps_bytes_type_and_metadata(clients: Clients, folder: str) -> None:
    bucket = clients.supabase(clients.keys.secret).storage.from_(BUCKET)
    answer = bucket.upload(f"{folder}/a.pdf", PDF, {"content-type": "application/pdf", "metadata": {"kind": "policy"}})
    assert answer.full_path == f"{BUCKET}/{folder}/a.pdf"
    assert bucket.download(f"{folder}/a.pdf") == PDF
    known = bucket.info(f"{folder}/a.pdf")
    assert known["size"] == len(PDF)
    assert known["content_type"] == "application/pdf"
    assert known["metadata"] == {"kind": "policy"}
    assert bucket.exists(f"{folder}/a.pdf")
    assert not bucket.exists(f"{folder}/b.pdf")
    with pytest.raises(StorageApiError) as missing:
        bucket.download(f"{folder}/b.pdf")
    assert str(missing.value.status) == "404"
    assert missing.value.code == "not_found"


@operation("Supabase Storage", "upload to a name that is taken, without and with upsert")
@writes
def test_a_taken_name_needs_upsert(clients: Clients, folder: str) -> None:
    bucket = clients.supabase(clients.keys.secret).storage.from_(BUCKET)
    bucket.upload(f"{folder}/a.pdf", PDF, {"content-type": "application/pdf"})
    with pytest.raises(StorageApiError) as refused:
        bucket.upload(f"{folder}/a.pdf", PDF, {"content-type": "application/pdf"})
    assert str(refused.value.status) == "409"
    assert refused.value.code == "Duplicate"
    bucket.upload(f"{folder}/a.pdf", PDF + PDF, {"content-type": "application/pdf", "upsert": "true"})
    assert bucket.info(f"{folder}/a.pdf")["size"] == 2 * len(PDF)


@operation("Supabase Storage", "upload what the bucket does not take: another type, too many bytes")
@writes
def test_type_and_size_are_limited(clients: Clients, folder: str) -> None:
    bucket = clients.supabase(clients.keys.secret).storage.from_(BUCKET)
    with pytest.raises(StorageApiError) as typed:
        bucket.upload(f"{folder}/a.png", b"\x89PNG", {"content-type": "image/png"})
    assert str(typed.value.status) == "415"
    assert typed.value.code == "invalid_mime_type"
    with pytest.raises(StorageApiError) as large:
        bucket.upload(f"{folder}/a.pdf", PDF.ljust(LIMIT + 1, b"\n"), {"content-type": "application/pdf"})
    assert str(large.value.status) == "413"
    assert bucket.list(folder) == []


@operation("Supabase Storage", "upload through a signed URL without another key")
@writes
def test_a_signed_upload_works_once(clients: Clients, folder: str) -> None:
    bucket = clients.supabase(clients.keys.secret).storage.from_(BUCKET)
    signed = bucket.create_signed_upload_url(f"{folder}/a.pdf")
    guest = clients.supabase(clients.keys.publishable).storage.from_(BUCKET)
    answer = guest.upload_to_signed_url(signed["path"], signed["token"], PDF, {"content-type": "application/pdf"})
    assert answer.full_path == f"{BUCKET}/{folder}/a.pdf"
    assert bucket.download(f"{folder}/a.pdf") == PDF
    with pytest.raises(StorageApiError) as again:
        guest.upload_to_signed_url(signed["path"], signed["token"], PDF, {"content-type": "application/pdf"})
    assert str(again.value.status) == "409"


@operation("Supabase Storage", "download through a signed URL, and through an altered one")
@writes
def test_a_signed_download_needs_its_token(clients: Clients, folder: str) -> None:
    bucket = clients.supabase(clients.keys.secret).storage.from_(BUCKET)
    bucket.upload(f"{folder}/a.pdf", PDF, {"content-type": "application/pdf"})
    url = bucket.create_signed_url(f"{folder}/a.pdf", 60, {"download": "policy.pdf"})["signedUrl"]
    assert url is not None
    answer = httpx.get(url)
    assert answer.status_code == 200
    assert answer.content == PDF
    assert "policy.pdf" in answer.headers["content-disposition"]
    token = httpx.URL(url).params["token"]
    assert httpx.get(url.replace(token, token.rpartition(".")[0] + ".AAAA")).status_code == 400


@operation("Supabase Storage", "list a folder in pages, then remove objects")
@writes
def test_a_folder_is_listed_in_pages(clients: Clients, folder: str) -> None:
    bucket = clients.supabase(clients.keys.secret).storage.from_(BUCKET)
    for name in ("b.md", "a.md", "c.md"):
        bucket.upload(f"{folder}/{name}", b"# page", {"content-type": "text/markdown"})
    first = bucket.list(folder, {"limit": 2, "sortBy": {"column": "name", "order": "desc"}})
    rest = bucket.list(folder, {"limit": 2, "offset": 2, "sortBy": {"column": "name", "order": "desc"}})
    assert [item["name"] for item in first + rest] == ["c.md", "b.md", "a.md"]
    assert first[0]["metadata"]["mimetype"] == "text/markdown"
    removed = bucket.remove([f"{folder}/a.md", f"{folder}/no-such.md"])
    assert [item["name"] for item in removed] == [f"{folder}/a.md"]
    assert [item["name"] for item in bucket.list(folder)] == ["b.md", "c.md"]
