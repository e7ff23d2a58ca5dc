"""Supabase's auth as an application developer uses it, through Supabase's own client."""

import secrets

import pytest
from supabase import Client
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes


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
        clients.supabase(clients.keys.publishable).auth.sign_up({"email": member.email, "password": secrets.token_urlsafe(18)})
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


@operation("Supabase Auth", "refresh a session, and one that is unknown")
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
    with pytest.raises(AuthApiError) as refused:
        client.auth.refresh_session("abcdefghijkl")
    assert str(refused.value.code) == "refresh_token_not_found"
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
    assert str(refused.value.code) == "refresh_token_not_found"


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
