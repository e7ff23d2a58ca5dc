"""Supabase Auth: what is sent by mail, one-time codes, links, and second factors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import supabase
from supabase_auth.errors import AuthApiError

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes

SignedIn = tuple[supabase.Client, Member]
STEP_SECONDS = 30


def code_of(secret: str) -> str:
    """The code that an authenticator shows now (RFC 6238)."""
    digest = hmac.new(base64.b32decode(secret), int(time.time() // STEP_SECONDS).to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 15
    return str((int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF) % 10**6).zfill(6)


@operation("Supabase Auth", "ask for a new password")
@writes
def test_recover_reveals_nothing(clients: Clients) -> None:
    clients.supabase(clients.keys.publishable).auth.reset_password_for_email(f"{clients.tag}-unknown@example.com")


@operation("Supabase Auth", "ask for a new password with what is no address")
def test_recover_wants_an_address(clients: Clients) -> None:
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.reset_password_for_email("no-address")
    assert (refused.value.status, refused.value.code) == (400, "validation_failed")


@operation("Supabase Auth", "ask for a second mail at once")
@writes
def test_one_mail_a_minute(clients: Clients, member: Member) -> None:
    auth = clients.supabase(clients.keys.publishable).auth
    auth.reset_password_for_email(member.email)
    with pytest.raises(AuthApiError) as refused:
        auth.reset_password_for_email(member.email)
    assert (refused.value.status, refused.value.code) == (429, "over_email_send_rate_limit")


@operation("Supabase Auth", "sign in with a code, as an unknown user")
@writes
def test_no_code_for_strangers(clients: Clients) -> None:
    auth = clients.supabase(clients.keys.publishable).auth
    with pytest.raises(AuthApiError) as refused:
        auth.sign_in_with_otp({"email": f"{clients.tag}-unknown@example.com", "options": {"should_create_user": False}})
    assert (refused.value.status, refused.value.code) == (422, "otp_disabled")


@operation("Supabase Auth", "ask for a code to sign in with")
@writes
def test_a_code_is_sent(clients: Clients, member: Member) -> None:
    sent = clients.supabase(clients.keys.publishable).auth.sign_in_with_otp({"email": member.email})
    assert sent.user is None
    assert sent.session is None


@operation("Supabase Auth", "ask for the mail of a sign-up again")
@writes
def test_resend_reveals_nothing(clients: Clients) -> None:
    auth = clients.supabase(clients.keys.publishable).auth
    assert auth.resend({"type": "signup", "email": f"{clients.tag}-unknown@example.com"}).user is None


@operation("Supabase Auth", "sign in with a wrong code")
@writes
def test_a_wrong_code(clients: Clients, member: Member) -> None:
    auth = clients.supabase(clients.keys.publishable).auth
    with pytest.raises(AuthApiError) as refused:
        auth.verify_otp({"email": member.email, "token": "000000", "type": "email"})
    assert (refused.value.status, refused.value.code) == (403, "otp_expired")
    assert refused.value.message == "Token has expired or is invalid"


@operation("Supabase Auth", "sign in with a code")
@writes
def test_a_right_code(clients: Clients, member: Member) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    link = admin.generate_link({"type": "magiclink", "email": member.email})
    assert link.user.id == member.id
    assert link.properties.verification_type == "magiclink"
    auth = clients.supabase(clients.keys.publishable).auth
    found = auth.verify_otp({"email": member.email, "token": link.properties.email_otp, "type": "email"})
    assert found.session is not None
    with pytest.raises(AuthApiError) as refused:
        auth.verify_otp({"email": member.email, "token": link.properties.email_otp, "type": "email"})
    assert refused.value.code == "otp_expired"


@operation("Supabase Auth", "sign in with the hash of a code")
@writes
def test_the_hash_of_a_code(clients: Clients, member: Member) -> None:
    made = clients.supabase(clients.keys.secret).auth.admin.generate_link({"type": "recovery", "email": member.email})
    auth, seen = clients.supabase(clients.keys.publishable).auth, []
    auth.on_auth_state_change(lambda event, _: seen.append(event))
    found = auth.verify_otp({"token_hash": made.properties.hashed_token, "type": "recovery"})
    assert found.user is not None
    assert found.user.id == member.id
    assert seen == ["PASSWORD_RECOVERY"]


@operation("Supabase Auth", "follow a link")
@writes
def test_a_link(clients: Clients, member: Member) -> None:
    made = clients.supabase(clients.keys.secret).auth.admin.generate_link({"type": "magiclink", "email": member.email})
    first, second = (httpx.get(made.properties.action_link) for _ in range(2))
    assert first.status_code == second.status_code == 303
    shown = parse_qs(urlsplit(first.headers["location"]).fragment)
    assert shown["token_type"] == ["bearer"]
    assert shown["type"] == ["magiclink"]
    assert clients.supabase(clients.keys.publishable).auth.get_user(shown["access_token"][0]) is not None
    # It works once.
    assert parse_qs(urlsplit(second.headers["location"]).fragment)["error_code"] == ["otp_expired"]


@operation("Supabase Auth", "make a link to sign up")
@writes
def test_a_link_to_sign_up(clients: Clients) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    email, password = f"{clients.tag}-{secrets.token_hex(4)}@example.com", secrets.token_urlsafe(12)
    link = admin.generate_link({"type": "signup", "email": email, "password": password, "options": {"data": {"name": "Ada"}}})
    try:
        assert link.user.confirmed_at is None
        assert link.user.user_metadata["name"] == "Ada"
        auth = clients.supabase(clients.keys.publishable).auth
        found = auth.verify_otp({"email": email, "token": link.properties.email_otp, "type": "signup"})
        assert found.user is not None
        assert found.user.confirmed_at is not None
    finally:
        admin.delete_user(link.user.id)


@operation("Supabase Auth", "make a link for a user who is there, or is not")
@writes
def test_links_that_are_not_made(clients: Clients, member: Member) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    with pytest.raises(AuthApiError) as refused:
        admin.generate_link({"type": "recovery", "email": f"{clients.tag}-unknown@example.com"})
    assert (refused.value.status, refused.value.code) == (404, "user_not_found")
    with pytest.raises(AuthApiError) as refused:
        admin.generate_link({"type": "signup", "email": member.email, "password": member.password})
    assert (refused.value.status, refused.value.code) == (422, "email_exists")


@operation("Supabase Auth", "change an address with a code")
@writes
def test_a_code_for_a_new_address(clients: Clients, member: Member) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    new = f"new-{member.email}"
    link = admin.generate_link({"type": "email_change_new", "email": member.email, "new_email": new})
    assert link.user.new_email == new
    assert link.properties.verification_type == "email_change_new"


@operation("Supabase Auth", "invite a user")
@writes
def test_invite(clients: Clients, member: Member) -> None:
    admin = clients.supabase(clients.keys.secret).auth.admin
    invited = admin.invite_user_by_email(f"{clients.tag}-{secrets.token_hex(4)}@example.com", {"data": {"team": "blue"}}).user
    try:
        assert invited.invited_at is not None
        assert invited.confirmed_at is None
        assert invited.user_metadata["team"] == "blue"
        with pytest.raises(AuthApiError) as refused:
            admin.invite_user_by_email(member.email)
        assert (refused.value.status, refused.value.code) == (422, "email_exists")
    finally:
        admin.delete_user(invited.id)


@operation("Supabase Auth", "enrol a second factor and prove it")
@writes
def test_a_second_factor(signed_in: SignedIn) -> None:
    auth = signed_in[0].auth
    made = auth.mfa.enroll({"factor_type": "totp", "friendly_name": "phone of mine"})
    assert made.totp is not None
    assert made.totp.uri.startswith("otpauth://totp/")
    assert auth.mfa.list_factors().totp == []
    challenge = auth.mfa.challenge({"factor_id": made.id})
    assert challenge.factor_type == "totp"
    assert challenge.expires_at > time.time()
    proven = auth.mfa.verify({"factor_id": made.id, "challenge_id": challenge.id, "code": code_of(made.totp.secret)})
    assert proven.user.id == signed_in[1].id
    level = auth.mfa.get_authenticator_assurance_level()
    assert level.current_level == "aal2"
    assert {used.method for used in level.current_authentication_methods} == {"totp", "password"}
    assert [factor.id for factor in auth.mfa.list_factors().totp] == [made.id]
    assert auth.mfa.unenroll({"factor_id": made.id}).id == made.id
    assert auth.mfa.list_factors().all == []


@operation("Supabase Auth", "a wrong code of a second factor, and an unknown factor")
@writes
def test_second_factors_that_are_refused(signed_in: SignedIn) -> None:
    auth = signed_in[0].auth
    made = auth.mfa.enroll({"factor_type": "totp", "friendly_name": "one"})
    assert made.totp is not None
    wrong = str((int(code_of(made.totp.secret)) + 500_000) % 10**6).zfill(6)
    with pytest.raises(AuthApiError) as refused:
        auth.mfa.challenge_and_verify({"factor_id": made.id, "code": wrong})
    assert (refused.value.status, refused.value.code) == (422, "mfa_verification_failed")
    with pytest.raises(AuthApiError) as refused:
        auth.mfa.enroll({"factor_type": "totp", "friendly_name": "one"})
    assert (refused.value.status, refused.value.code) == (422, "mfa_factor_name_conflict")
    with pytest.raises(AuthApiError) as refused:
        auth.mfa.challenge({"factor_id": "00000000-0000-4000-8000-000000000000"})
    assert (refused.value.status, refused.value.code) == (404, "mfa_factor_not_found")


@operation("Supabase Auth", "second factors as the admin sees them")
@writes
def test_factors_of_a_user(clients: Clients, signed_in: SignedIn) -> None:
    client, member = signed_in
    made = client.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "one"})
    admin = clients.supabase(clients.keys.secret).auth.admin
    (factor,) = admin.mfa.list_factors({"user_id": member.id})
    assert (factor.id, factor.status, factor.factor_type) == (made.id, "unverified", "totp")
    assert admin.mfa.delete_factor({"user_id": member.id, "id": made.id}).id == made.id
    assert admin.mfa.list_factors({"user_id": member.id}) == []
