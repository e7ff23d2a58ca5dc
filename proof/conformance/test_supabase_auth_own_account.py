"""Supabase Auth: the user's own account."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
import supabase
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes

SignedIn = tuple[supabase.Client, Member]


@operation("Supabase Auth", "read the own account")
@writes
def test_the_own_account(signed_in: SignedIn) -> None:
    client, member = signed_in
    found = client.auth.get_user()
    assert found is not None
    assert (found.user.id, found.user.email) == (member.id, member.email)
    assert found.user.user_metadata["name"] == member.name
    assert found.user.updated_at is not None


@operation("Supabase Auth", "read the own identities")
@writes
def test_the_own_identities(signed_in: SignedIn) -> None:
    client, member = signed_in
    (identity,) = client.auth.get_user_identities().identities
    assert (identity.provider, identity.user_id) == ("email", member.id)
    assert identity.identity_data["email"] == member.email
    assert identity.identity_data["sub"] == member.id


@operation("Supabase Auth", "change the own metadata")
@writes
def test_metadata_is_merged(signed_in: SignedIn) -> None:
    client, member = signed_in
    client.auth.update_user({"data": {"plan": "gold", "language": "en"}})
    changed = client.auth.update_user({"data": {"plan": "silver"}}).user
    assert changed.user_metadata["plan"] == "silver"
    assert changed.user_metadata["language"] == "en"
    assert changed.user_metadata["name"] == member.name


@operation("Supabase Auth", "change the own password")
@writes
def test_the_password_changes(clients: Clients, signed_in: SignedIn) -> None:
    client, member = signed_in
    new = secrets.token_urlsafe(12)
    client.auth.update_user({"password": new})
    other = clients.supabase(clients.keys.publishable).auth
    with pytest.raises(AuthApiError):
        other.sign_in_with_password({"email": member.email, "password": member.password})
    assert other.sign_in_with_password({"email": member.email, "password": new}).session is not None


@operation("Supabase Auth", "change the own password to the same, and to a weak one")
@writes
def test_passwords_that_are_not_taken(signed_in: SignedIn) -> None:
    client, member = signed_in
    with pytest.raises(AuthApiError) as refused:
        client.auth.update_user({"password": member.password})
    assert (refused.value.status, refused.value.code) == (422, "same_password")
    with pytest.raises(AuthWeakPasswordError):
        client.auth.update_user({"password": "abc"})


@operation("Supabase Auth", "change the own address")
@writes
def test_the_address_changes(signed_in: SignedIn) -> None:
    client, member = signed_in
    new = f"new-{member.email}"
    changed = client.auth.update_user({"email": new}).user
    # At once where addresses need no confirmation, otherwise after a mail.
    assert new in (changed.email, changed.new_email)


@operation("Supabase Auth", "change the own address to one that is in use")
@writes
def test_anothers_address_is_not_taken(signed_in: SignedIn, new_member: Callable[[], Member]) -> None:
    other = new_member()
    with pytest.raises(AuthApiError) as refused:
        signed_in[0].auth.update_user({"email": other.email})
    assert (refused.value.status, refused.value.code) == (422, "email_exists")


@operation("Supabase Auth", "link and unlink an identity, which is switched off")
@writes
def test_linking_by_hand(signed_in: SignedIn) -> None:
    client, _ = signed_in
    with pytest.raises(AuthApiError) as refused:
        client.auth.link_identity({"provider": "github"})
    assert (refused.value.status, refused.value.code) == (404, "manual_linking_disabled")
    (identity,) = client.auth.get_user_identities().identities
    with pytest.raises(AuthApiError) as refused:
        client.auth.unlink_identity(identity)
    assert refused.value.status in (404, 422)


@operation("Supabase Auth", "ask for a code before the password changes")
@writes
def test_reauthenticate(signed_in: SignedIn) -> None:
    assert signed_in[0].auth.reauthenticate().session is None
