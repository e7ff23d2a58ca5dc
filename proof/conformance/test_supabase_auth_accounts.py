"""Supabase Auth: signing up, signing in, and the user's own account."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import supabase
from supabase_auth.errors import AuthApiError, AuthInvalidCredentialsError, AuthWeakPasswordError

from proof.conformance.clients import Clients, Member
from proof.conformance.marks import operation, writes

SignedIn = tuple[supabase.Client, Member]


@pytest.fixture
def address(clients: Clients) -> Iterator[str]:
    """An address that no user has; the user that a case gives it to is removed."""
    email = f"{clients.tag}-{secrets.token_hex(4)}@example.com"
    yield email
    admin = clients.supabase(clients.keys.secret).auth.admin
    for user in admin.list_users(per_page=200):
        if user.email == email:
            admin.delete_user(user.id)


@operation("Supabase Auth", "sign up")
@writes
def test_sign_up(clients: Clients, address: str) -> None:
    auth = clients.supabase(clients.keys.publishable).auth
    made = auth.sign_up({"email": address, "password": secrets.token_urlsafe(12), "options": {"data": {"name": "Ada"}}})
    assert made.user is not None
    assert made.user.email == address
    assert made.user.user_metadata["name"] == "Ada"
    assert made.user.aud == made.user.role == "authenticated"
    assert made.user.app_metadata == {"provider": "email", "providers": ["email"]}
    assert [identity.provider for identity in made.user.identities or []] == ["email"]
    # A session where addresses need no confirmation, a mail where they do.
    assert (made.session is None) == (made.user.confirmed_at is None)


@operation("Supabase Auth", "sign up with an address in capitals")
@writes
def test_addresses_are_kept_in_small_letters(clients: Clients, address: str) -> None:
    auth = clients.supabase(clients.keys.publishable).auth
    made = auth.sign_up({"email": address.upper(), "password": secrets.token_urlsafe(12)})
    assert made.user is not None
    assert made.user.email == address


@operation("Supabase Auth", "sign up with an address that is in use")
@writes
def test_an_address_that_is_in_use(clients: Clients, member: Member) -> None:
    auth = clients.supabase(clients.keys.publishable).auth
    try:
        made = auth.sign_up({"email": member.email, "password": secrets.token_urlsafe(12)})
    except AuthApiError as error:
        refused = error
    else:
        # Where addresses are confirmed by mail, a stranger does not learn that the address is known.
        assert made.user is not None
        assert made.user.identities == []
        return
    assert (refused.status, refused.code) == (422, "user_already_exists")


@operation("Supabase Auth", "sign up with a weak password")
@writes
def test_a_weak_password(clients: Clients, address: str) -> None:
    with pytest.raises(AuthWeakPasswordError) as refused:
        clients.supabase(clients.keys.publishable).auth.sign_up({"email": address, "password": "abc"})
    assert refused.value.status == 422
    assert refused.value.reasons == ["length"]


@operation("Supabase Auth", "sign up with what is no address")
@writes
def test_what_is_no_address(clients: Clients) -> None:
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.sign_up({"email": "no-address", "password": secrets.token_urlsafe(12)})
    assert (refused.value.status, refused.value.code) == (400, "validation_failed")


@operation("Supabase Auth", "sign up without a password")
def test_without_a_password(clients: Clients) -> None:
    with pytest.raises(AuthInvalidCredentialsError):
        clients.supabase(clients.keys.publishable).auth.sign_up({"email": "a@example.com", "password": ""})


@operation("Supabase Auth", "sign in anonymously, which is switched off")
@writes
def test_anonymous_users(clients: Clients) -> None:
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.sign_in_anonymously()
    assert (refused.value.status, refused.value.code) == (422, "anonymous_provider_disabled")


@operation("Supabase Auth", "sign in with a password")
@writes
def test_sign_in(clients: Clients, member: Member) -> None:
    auth = clients.supabase(clients.keys.publishable).auth
    found = auth.sign_in_with_password({"email": member.email, "password": member.password})
    assert found.session is not None
    assert found.user is not None
    assert found.session.token_type == "bearer"
    assert found.session.expires_in > 0
    assert found.user.id == member.id
    assert found.user.last_sign_in_at is not None
    assert datetime.now(UTC) - found.user.last_sign_in_at < timedelta(minutes=5)
    assert found.user.email_confirmed_at is not None
    assert not found.user.is_anonymous


@operation("Supabase Auth", "sign in with a wrong password")
@writes
def test_a_wrong_password_is_refused(clients: Clients, member: Member) -> None:
    auth = clients.supabase(clients.keys.publishable).auth
    with pytest.raises(AuthApiError) as refused:
        auth.sign_in_with_password({"email": member.email, "password": "wrong-" + member.password})
    assert (refused.value.status, refused.value.code) == (400, "invalid_credentials")
    assert refused.value.message == "Invalid login credentials"


@operation("Supabase Auth", "sign in as an unknown user")
def test_an_unknown_user_is_refused_in_the_same_way(clients: Clients) -> None:
    auth = clients.supabase(clients.keys.publishable).auth
    with pytest.raises(AuthApiError) as refused:
        auth.sign_in_with_password({"email": f"{clients.tag}-unknown@example.com", "password": "does-not-matter"})
    assert (refused.value.status, refused.value.code) == (400, "invalid_credentials")


@operation("Supabase Auth", "sign in with a phone number, which is switched off")
def test_phones(clients: Clients) -> None:
    auth = clients.supabase(clients.keys.publishable).auth
    with pytest.raises(AuthApiError) as refused:
        auth.sign_in_with_password({"phone": "+15550100", "password": "does-not-matter"})
    assert refused.value.code == "phone_provider_disabled"


@operation("Supabase Auth", "sign in with an address that is not confirmed")
@writes
def test_an_unconfirmed_address(clients: Clients, address: str) -> None:
    password = secrets.token_urlsafe(12)
    clients.supabase(clients.keys.secret).auth.admin.create_user({"email": address, "password": password})
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.sign_in_with_password({"email": address, "password": password})
    assert (refused.value.status, refused.value.code) == (400, "email_not_confirmed")


@operation("Supabase Auth", "sign in with a provider's token that is switched off")
def test_a_provider_that_is_off(clients: Clients) -> None:
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.sign_in_with_id_token({"provider": "kakao", "token": "not-a-token"})
    assert refused.value.status == 400


@operation("Supabase Auth", "address of a provider's page")
def test_the_address_of_a_provider(clients: Clients) -> None:
    made = clients.supabase(clients.keys.publishable).auth.sign_in_with_oauth({"provider": "github"})
    assert made.url.startswith(f"{clients.urls.supabase}/auth/v1/authorize?")
    assert made.provider == "github"


@operation("Supabase Auth", "single sign-on, which is switched off")
def test_single_sign_on(clients: Clients) -> None:
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.sign_in_with_sso({"domain": "example.com"})
    assert refused.value.status in (404, 422)
    assert refused.value.code in ("saml_provider_disabled", "sso_provider_not_found")


@operation("Supabase Auth", "exchange an unknown code (PKCE)")
def test_an_unknown_code(clients: Clients) -> None:
    code = {"auth_code": "00000000-0000-4000-8000-000000000000", "code_verifier": "v" * 43}
    with pytest.raises(AuthApiError) as refused:
        clients.supabase(clients.keys.publishable).auth.exchange_code_for_session(code)  # type: ignore[arg-type]
    assert (refused.value.status, refused.value.code) == (404, "flow_state_not_found")


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
