"""Supabase's auth and storage as an application developer uses them, through Supabase's own client."""

import secrets
from collections.abc import Callable, Iterator

import httpx
import pytest
from storage3.exceptions import StorageApiError
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes
from supabase import Client

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


@operation("Supabase Auth", "sign up with an address and a password")
@writes
def test_signing_up_signs_in(clients: Clients) -> None:
    client = clients.supabase(clients.keys.publishable)
    email = f"stranger-{secrets.token_hex(6)}@example.com"
    answer = client.auth.sign_up(
        {"email": email, "password": secrets.token_urlsafe(18), "options": {"data": {"name": "A Stranger"}}}
    )
    assert answer.user is not None
    try:
        assert answer.session is not None
        assert answer.session.token_type == "bearer"
        assert answer.session.expires_in > 0
        assert answer.session.refresh_token
        assert answer.user.email == email
        assert answer.user.role == "authenticated"
        assert answer.user.email_confirmed_at is not None
        assert answer.user.user_metadata["name"] == "A Stranger"
        assert answer.user.app_metadata["provider"] == "email"
        assert [identity.provider for identity in answer.user.identities or []] == ["email"]
    finally:
        clients.supabase(clients.keys.secret).auth.admin.delete_user(answer.user.id)


@operation("Supabase Auth", "sign up with an address that is taken")
@writes
def test_an_address_signs_up_once(clients: Clients, member: Member) -> None:
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.sign_up(
            {"email": member.email, "password": secrets.token_urlsafe(18)}
        )
    assert refused.value.code == "user_already_exists"
    assert refused.value.status == 422


@operation("Supabase Auth", "sign up with a password that is too short")
@writes
def test_a_short_password_is_refused_as_weak(clients: Clients) -> None:
    with pytest.raises(AuthWeakPasswordError) as refused:
        clients.supabase(clients.keys.publishable).auth.sign_up(
            {"email": f"stranger-{secrets.token_hex(6)}@example.com", "password": "ab1"}
        )
    assert refused.value.status == 422
    assert refused.value.code == "weak_password"
    assert "length" in refused.value.reasons


@operation("Supabase Auth", "refresh a session")
@writes
def test_a_refresh_brings_another_refresh_token(signed_in: tuple[Client, Member]) -> None:
    client, member = signed_in
    before = client.auth.get_session()
    assert before is not None
    after = client.auth.refresh_session()
    assert after.session is not None
    assert after.session.refresh_token != before.refresh_token
    assert after.user is not None
    assert after.user.id == member.id
    answer = client.auth.get_user(after.session.access_token)
    assert answer is not None
    assert answer.user.id == member.id


@operation("Supabase Auth", "refresh a session with an unknown refresh token")
def test_an_unknown_refresh_token_is_refused(clients: Clients) -> None:
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.refresh_session("abcdefghijkl")
    assert refused.value.code == "refresh_token_not_found"
    assert refused.value.status == 400


@operation("Supabase Auth", "sign out everywhere")
@writes
def test_signing_out_ends_the_session(clients: Clients, signed_in: tuple[Client, Member]) -> None:
    client, _ = signed_in
    session = client.auth.get_session()
    assert session is not None
    client.auth.sign_out()
    assert client.auth.get_session() is None
    other = clients.supabase(clients.keys.publishable)
    with pytest.raises(AuthApiError) as gone:
        other.auth.get_user(session.access_token)
    assert gone.value.code == "session_not_found"
    assert gone.value.status == 403
    with pytest.raises(AuthApiError) as refused:
        other.auth.refresh_session(session.refresh_token)
    assert refused.value.code == "refresh_token_not_found"


@operation("Supabase Auth", "change a user's metadata")
@writes
def test_metadata_is_merged(signed_in: tuple[Client, Member]) -> None:
    client, member = signed_in
    client.auth.update_user({"data": {"colour": "green", "size": 1}})
    client.auth.update_user({"data": {"size": 2}})
    answer = client.auth.get_user()
    assert answer is not None
    assert answer.user.id == member.id
    assert answer.user.user_metadata["colour"] == "green"
    assert answer.user.user_metadata["size"] == 2


@operation("Supabase Auth", "sign in while banned")
@writes
def test_a_banned_user_does_not_sign_in(clients: Clients, member: Member) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    admin.update_user_by_id(member.id, {"ban_duration": "1h"})
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.sign_in_with_password(
            {"email": member.email, "password": member.password}
        )
    assert refused.value.code == "user_banned"
    assert refused.value.status == 400
    admin.update_user_by_id(member.id, {"ban_duration": "none"})
    answer = clients.supabase(clients.keys.publishable).auth.sign_in_with_password(
        {"email": member.email, "password": member.password}
    )
    assert answer.session is not None


@operation("Supabase Auth", "sign in by a recovery link, twice")
@writes
def test_a_recovery_link_works_once(clients: Clients, member: Member) -> None:
    link = clients.supabase(clients.keys.secret).auth.admin.generate_link({"type": "recovery", "email": member.email})
    token = link.properties.hashed_token
    answer = clients.supabase(clients.keys.publishable).auth.verify_otp({"token_hash": token, "type": "recovery"})
    assert answer.session is not None
    assert answer.user is not None
    assert answer.user.id == member.id
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.verify_otp({"token_hash": token, "type": "recovery"})
    assert refused.value.code == "otp_expired"
    assert refused.value.status == 403


@operation("Supabase Auth", "page through the users")
@writes
def test_users_come_in_pages(clients: Clients, new_member: Callable[[], Member]) -> None:
    wanted = {new_member().id, new_member().id}
    admin = clients.supabase(clients.keys.secret).auth.admin
    first = admin.list_users(page=1, per_page=1)
    second = admin.list_users(page=2, per_page=1)
    assert len(first) == len(second) == 1
    assert {first[0].id, second[0].id} == wanted


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


@operation("Supabase Storage", "download an object that is not there")
def test_a_missing_object_is_not_found(clients: Clients) -> None:
    with pytest.raises(StorageApiError) as refused:
        clients.supabase(clients.keys.secret).storage.from_(BUCKET).download(f"strangers/{secrets.token_hex(8)}.pdf")
    assert str(refused.value.status) == "404"
    assert refused.value.code == "not_found"


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
