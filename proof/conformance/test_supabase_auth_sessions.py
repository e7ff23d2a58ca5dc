"""Supabase Auth: sessions, refresh tokens, signing out, and what the tokens hold."""

from __future__ import annotations

import time
from uuid import UUID

import httpx
import jwt
import pytest
import supabase
from supabase_auth.errors import AuthApiError, AuthInvalidJwtError
from supabase_auth.types import Session

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes

SignedIn = tuple[supabase.Client, Member]
REUSE_SECONDS = 10


def session_of(client: supabase.Client) -> Session:
    """The session of a client that has signed in."""
    found = client.auth.get_session()
    assert found is not None
    return found


def another(clients: Clients, member: Member) -> supabase.Client:
    """A second client, signed in as the same user."""
    client = clients.supabase(clients.keys.publishable)
    client.auth.sign_in_with_password({"email": member.email, "password": member.password})
    return client


def is_signed_in(clients: Clients, token: str) -> bool:
    """Whether the service shows the user of a token; a session that has ended is refused as such."""
    try:
        clients.supabase(clients.keys.publishable).auth.get_user(token)
    except AuthApiError as error:
        refused = error
    else:
        return True
    assert (refused.status, refused.code) == (403, "session_not_found")
    return False


@operation("Supabase Auth", "claims of an access token")
@writes
def test_the_claims(clients: Clients, signed_in: SignedIn) -> None:
    client, member = signed_in
    claims = jwt.decode(session_of(client).access_token, options={"verify_signature": False})
    assert claims["sub"] == member.id
    assert claims["iss"] == f"{clients.urls.supabase}/auth/v1"
    assert claims["aud"] == claims["role"] == "authenticated"
    assert claims["email"] == member.email
    assert claims["phone"] == ""
    assert claims["aal"] == "aal1"
    assert claims["amr"][0]["method"] == "password"
    assert claims["exp"] - claims["iat"] == session_of(client).expires_in
    assert claims["is_anonymous"] is False
    assert claims["user_metadata"]["name"] == member.name
    assert claims["app_metadata"]["provider"] == "email"
    assert UUID(claims["session_id"])


@operation("Supabase Auth", "verify an access token")
@writes
def test_verified_claims(signed_in: SignedIn) -> None:
    client, member = signed_in
    found = client.auth.get_claims()
    assert found is not None
    assert found["claims"]["sub"] == member.id


@operation("Supabase Auth", "verify an access token with the published keys")
@writes
def test_the_published_keys(clients: Clients, signed_in: SignedIn) -> None:
    url = f"{clients.urls.supabase}/auth/v1/.well-known/jwks.json"
    answer = httpx.get(url)
    assert answer.status_code == 200
    keys = answer.json()["keys"]
    token = session_of(signed_in[0]).access_token
    header = jwt.get_unverified_header(token)
    if header["alg"] == "HS256":
        assert all(key["kty"] != "oct" for key in keys)
        return
    (key,) = [key for key in keys if key["kid"] == header["kid"]]
    assert "d" not in key
    assert key["alg"] == header["alg"]
    claims = jwt.decode(token, jwt.PyJWK(key), algorithms=["ES256", "RS256"], audience="authenticated")
    assert claims["sub"] == signed_in[1].id


@operation("Supabase Auth", "verify a changed access token")
@writes
def test_a_changed_token(clients: Clients, signed_in: SignedIn) -> None:
    head, body, signature = session_of(signed_in[0]).access_token.split(".")
    changed = f"{head}.{body}.{'A' * len(signature)}"
    with pytest.raises((AuthApiError, AuthInvalidJwtError)):
        signed_in[0].auth.get_claims(changed)
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.get_user(changed)
    assert (refused.value.status, refused.value.code) == (403, "bad_jwt")


@operation("Supabase Auth", "read the account of what is no token")
def test_what_is_no_token(clients: Clients) -> None:
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.get_user("not-a-token")
    assert (refused.value.status, refused.value.code) == (403, "bad_jwt")


@operation("Supabase Auth", "read the account of nobody")
def test_a_key_is_no_user(clients: Clients) -> None:
    client = clients.supabase(clients.keys.publishable)
    assert client.auth.get_user() is None
    headers = {"apikey": clients.keys.publishable, "Authorization": f"Bearer {clients.keys.publishable}"}
    answer = httpx.get(f"{clients.urls.supabase}/auth/v1/user", headers=headers)
    assert answer.status_code in (401, 403)


@operation("Supabase Auth", "refresh a session")
@writes
def test_refresh(signed_in: SignedIn) -> None:
    client, member = signed_in
    first = session_of(client)
    second = client.auth.refresh_session().session
    assert second is not None
    assert second.refresh_token != first.refresh_token
    assert second.user.id == member.id
    before, after = (jwt.decode(s.access_token, options={"verify_signature": False}) for s in (first, second))
    assert before["session_id"] == after["session_id"]


@operation("Supabase Auth", "refresh again, because the answer was lost")
@writes
def test_the_last_refresh_token_may_be_sent_again(clients: Clients, signed_in: SignedIn) -> None:
    first = session_of(signed_in[0])
    other = clients.supabase(clients.keys.publishable)
    once = other.auth.refresh_session(first.refresh_token).session
    again = other.auth.refresh_session(first.refresh_token).session
    assert once is not None
    assert again is not None
    assert again.refresh_token == once.refresh_token


@operation("Supabase Auth", "refresh with a token that was used long ago")
@writes
def test_an_old_refresh_token_ends_the_session(clients: Clients, signed_in: SignedIn) -> None:
    client = signed_in[0]
    first = session_of(client)
    client.auth.refresh_session()
    last = client.auth.refresh_session().session
    assert last is not None
    time.sleep(REUSE_SECONDS + 1)
    other = clients.supabase(clients.keys.publishable)
    for token in (first.refresh_token, last.refresh_token):
        with pytest.raises(AuthApiError) as refused:
            other.auth.refresh_session(token)
        assert (refused.value.status, refused.value.code) == (400, "refresh_token_already_used")


@operation("Supabase Auth", "refresh with an unknown token")
def test_an_unknown_refresh_token(clients: Clients) -> None:
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.refresh_session("notknown1234")
    assert (refused.value.status, refused.value.code) == (400, "refresh_token_not_found")


@operation("Supabase Auth", "set a session from its tokens")
@writes
def test_set_session(clients: Clients, signed_in: SignedIn) -> None:
    given = session_of(signed_in[0])
    client = clients.supabase(clients.keys.publishable)
    taken = client.auth.set_session(given.access_token, given.refresh_token)
    assert taken.user is not None
    assert taken.user.id == signed_in[1].id


@operation("Supabase Auth", "sign out everywhere")
@writes
def test_sign_out_everywhere(clients: Clients, signed_in: SignedIn) -> None:
    client, member = signed_in
    tokens = [session_of(client).access_token, session_of(another(clients, member)).access_token]
    refresh_token = session_of(client).refresh_token
    client.auth.sign_out()
    assert client.auth.get_session() is None
    assert [is_signed_in(clients, token) for token in tokens] == [False, False]
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.refresh_session(refresh_token)
    assert (refused.value.status, refused.value.code) == (400, "refresh_token_not_found")


@operation("Supabase Auth", "sign out here only")
@writes
def test_sign_out_here(clients: Clients, signed_in: SignedIn) -> None:
    client, member = signed_in
    here, there = session_of(client).access_token, session_of(another(clients, member)).access_token
    client.auth.sign_out({"scope": "local"})
    assert not is_signed_in(clients, here)
    assert is_signed_in(clients, there)


@operation("Supabase Auth", "sign out everywhere else")
@writes
def test_sign_out_elsewhere(clients: Clients, signed_in: SignedIn) -> None:
    client, member = signed_in
    here, there = session_of(client).access_token, session_of(another(clients, member)).access_token
    client.auth.sign_out({"scope": "others"})
    assert is_signed_in(clients, here)
    assert not is_signed_in(clients, there)


@operation("Supabase Auth", "sign out a user's token as the admin")
@writes
def test_the_admin_signs_out(clients: Clients, signed_in: SignedIn) -> None:
    token = session_of(signed_in[0]).access_token
    admin = clients.supabase(clients.keys.secret).auth.admin
    admin.sign_out(token)
    assert not is_signed_in(clients, token)
    with pytest.raises(AuthApiError) as refused:
        admin.sign_out(token)
    assert (refused.value.status, refused.value.code) == (403, "session_not_found")


@operation("Supabase Auth", "sessions after a change of the password")
@writes
def test_other_sessions_end_with_the_password(clients: Clients, signed_in: SignedIn) -> None:
    client, member = signed_in
    there = session_of(another(clients, member)).access_token
    client.auth.update_user({"password": f"new-{member.password}"})
    assert is_signed_in(clients, session_of(client).access_token)
    assert not is_signed_in(clients, there)


@operation("Supabase Auth", "events of a client")
@writes
def test_events(clients: Clients, member: Member) -> None:
    client, seen = clients.supabase(clients.keys.publishable), []
    subscription = client.auth.on_auth_state_change(lambda event, _: seen.append(event))
    client.auth.sign_in_with_password({"email": member.email, "password": member.password})
    client.auth.refresh_session()
    client.auth.update_user({"data": {"seen": True}})
    client.auth.sign_out()
    subscription.unsubscribe()
    assert seen == ["SIGNED_IN", "TOKEN_REFRESHED", "USER_UPDATED", "SIGNED_OUT"]
