"""Supabase Auth: the admin's view of users."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest
import supabase
from supabase_auth.errors import AuthApiError

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes

SignedIn = tuple[supabase.Client, Member]


@operation("Supabase Auth", "create a user as the admin")
@writes
def test_create(clients: Clients) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    email, id = f"{clients.tag}-{secrets.token_hex(4)}@example.com", str(uuid4())
    made = admin.create_user(
        {"id": id, "email": email, "email_confirm": True, "app_metadata": {"plan": "gold"}, "user_metadata": {"name": "Ada"}}
    ).user
    try:
        assert (made.id, made.email) == (id, email)
        assert made.confirmed_at is not None
        assert made.app_metadata == {"provider": "email", "providers": ["email"], "plan": "gold"}
        assert made.user_metadata["name"] == "Ada"
        assert made.last_sign_in_at is None
        assert made.phone == ""
    finally:
        admin.delete_user(made.id)


@operation("Supabase Auth", "create a user with an address that is in use")
@writes
def test_create_twice(clients: Clients, member: Member) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    with pytest.raises(AuthApiError) as refused:
        admin.create_user({"email": member.email, "password": secrets.token_urlsafe(12)})
    assert (refused.value.status, refused.value.code) == (422, "email_exists")


@operation("Supabase Auth", "create a user with neither address nor number")
@writes
def test_create_nobody(clients: Clients) -> None:
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.secret).auth.admin.create_user({"password": secrets.token_urlsafe(12)})
    assert (refused.value.status, refused.value.code) == (400, "validation_failed")


@operation("Supabase Auth", "list users")
@writes
def test_list(clients: Clients, member: Member) -> None:
    users = clients.supabase(clients.keys.secret).auth.admin.list_users()
    assert member.id in [user.id for user in users]
    # The newest first.
    assert users == sorted(users, key=lambda user: user.created_at, reverse=True)


@operation("Supabase Auth", "list users a page at a time")
@writes
def test_pages(clients: Clients, new_member: Callable[[], Member]) -> None:
    made = {new_member().id for _ in range(3)}
    admin = clients.supabase(clients.keys.secret).auth.admin
    pages = [admin.list_users(page=number, per_page=2) for number in (1, 2)]
    assert len(pages[0]) == 2
    assert made <= {user.id for page in pages for user in page}
    assert admin.list_users(page=100_000, per_page=2) == []


@operation("Supabase Auth", "total and links of a listing of users")
@writes
def test_headers_of_a_page(clients: Clients, new_member: Callable[[], Member]) -> None:
    for _ in range(2):
        new_member()
    headers = {"apikey": clients.keys.secret, "Authorization": f"Bearer {clients.keys.secret}"}
    answer = httpx.get(f"{clients.urls.supabase}/auth/v1/admin/users?page=1&per_page=1", headers=headers)
    total = int(answer.headers["x-total-count"])
    assert total >= 2
    assert 'page=2&per_page=1>; rel="next"' in answer.headers["link"]
    assert f'page={total}&per_page=1>; rel="last"' in answer.headers["link"]


@operation("Supabase Auth", "read a user as the admin")
@writes
def test_read(clients: Clients, member: Member) -> None:
    found = clients.supabase(clients.keys.secret).auth.admin.get_user_by_id(member.id).user
    assert found.email == member.email
    assert [identity.provider for identity in found.identities or []] == ["email"]


@operation("Supabase Auth", "read a user who does not exist")
def test_read_nobody(clients: Clients) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    with pytest.raises(AuthApiError) as refused:
        admin.get_user_by_id(str(uuid4()))
    assert (refused.value.status, refused.value.code) == (404, "user_not_found")
    with pytest.raises(ValueError, match="uuid"):
        admin.get_user_by_id("not-an-id")


@operation("Supabase Auth", "change a user as the admin")
@writes
def test_change(clients: Clients, member: Member) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    new, password = f"new-{member.email}", secrets.token_urlsafe(12)
    changed = admin.update_user_by_id(
        member.id, {"email": new, "password": password, "user_metadata": {"plan": "gold"}, "app_metadata": {"team": "blue"}}
    ).user
    assert changed.email == new
    assert (changed.user_metadata["name"], changed.user_metadata["plan"]) == (member.name, "gold")
    assert (changed.app_metadata["provider"], changed.app_metadata["team"]) == ("email", "blue")
    found = clients.supabase(clients.keys.publishable).auth.sign_in_with_password({"email": new, "password": password})
    assert found.session is not None


@operation("Supabase Auth", "confirm a user as the admin")
@writes
def test_confirm(clients: Clients) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    made = admin.create_user({"email": f"{clients.tag}-{secrets.token_hex(4)}@example.com"}).user
    try:
        assert made.email_confirmed_at is None
        assert admin.update_user_by_id(made.id, {"email_confirm": True}).user.email_confirmed_at is not None
    finally:
        admin.delete_user(made.id)


@operation("Supabase Auth", "ban a user, and lift the ban")
@writes
def test_ban(clients: Clients, signed_in: SignedIn) -> None:
    client, member = signed_in
    admin = clients.supabase(clients.keys.secret).auth.admin
    assert admin.update_user_by_id(member.id, {"ban_duration": "24h"}).user.banned_until is not None
    credentials = {"email": member.email, "password": member.password}
    other = clients.supabase(clients.keys.publishable).auth
    with pytest.raises(AuthApiError) as refused:
        other.sign_in_with_password(credentials)  # type: ignore[arg-type]
    assert (refused.value.status, refused.value.code) == (400, "user_banned")
    with pytest.raises(AuthApiError) as refused:
        client.auth.refresh_session()
    assert refused.value.code == "user_banned"
    admin.update_user_by_id(member.id, {"ban_duration": "none"})
    assert other.sign_in_with_password(credentials).session is not None  # type: ignore[arg-type]


@operation("Supabase Auth", "change a user who does not exist")
@writes
def test_change_nobody(clients: Clients) -> None:
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.secret).auth.admin.update_user_by_id(str(uuid4()), {"user_metadata": {"a": 1}})
    assert (refused.value.status, refused.value.code) == (404, "user_not_found")


@operation("Supabase Auth", "delete a user")
@writes
def test_delete(clients: Clients, signed_in: SignedIn) -> None:
    client, member = signed_in
    admin = clients.supabase(clients.keys.secret).auth.admin
    admin.delete_user(member.id)
    with pytest.raises(AuthApiError) as refused:
        client.auth.get_user()
    assert (refused.value.status, refused.value.code) == (403, "user_not_found")
    with pytest.raises(AuthApiError) as refused:
        admin.delete_user(member.id)
    assert refused.value.status == 404


@operation("Supabase Auth", "delete a user softly")
@writes
def test_delete_softly(clients: Clients, member: Member) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    admin.delete_user(member.id, should_soft_delete=True)
    found = admin.get_user_by_id(member.id).user
    assert found.deleted_at is not None
    assert found.email != member.email
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.sign_in_with_password(
            {"email": member.email, "password": member.password}
        )
    assert refused.value.code == "invalid_credentials"


@operation("Supabase Auth", "the admin's paths with a user's key")
def test_a_user_is_no_admin(clients: Clients) -> None:
    admin = clients.supabase(clients.keys.publishable).auth.admin
    for ask in (admin.list_users, lambda: admin.get_user_by_id(str(uuid4())), lambda: admin.delete_user(str(uuid4()))):
        with pytest.raises(AuthApiError) as refused:
            ask()
        assert refused.value.status in (401, 403)


@operation("Supabase Auth", "the admin's paths with a user's token")
@writes
def test_a_signed_in_user_is_no_admin(clients: Clients, signed_in: SignedIn) -> None:
    session = signed_in[0].auth.get_session()
    assert session is not None
    headers = {"apikey": clients.keys.publishable, "Authorization": f"Bearer {session.access_token}"}
    answer = httpx.get(f"{clients.urls.supabase}/auth/v1/admin/users", headers=headers)
    assert answer.status_code == 403
    assert answer.json() == {"code": 403, "error_code": "not_admin", "msg": "User not allowed"}
    assert answer.headers["x-sb-error-code"] == "not_admin"
