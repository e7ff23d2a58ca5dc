"""8.2.2 Test API endpoints functionality: registration and sign-in (contract: HTTP API)."""

import pytest

from fixtures.accounts import JSON_WITH_CHARSET, expect_own_account, sign_up, sign_up_by_a_page
from fixtures.api import Api
from fixtures.users import User, Users
from gate.fields import id_in, text_in
from gate.http import expect
from gate.selection import promised
from spec import Specification

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    pytest.mark.about("http.value"),
    promised("pipeline"),
]


def test_register_creates_a_user_who_can_sign_in(api: Api, users: Users, spec: Specification) -> None:
    """contract POST /register: 200, and the user can sign in afterwards, also on a page that still sends a token of before."""
    email, password, name = users.credentials("register")
    page = api.as_(spec.probes.wrong_token).as_page().having(JSON_WITH_CHARSET)
    registered = page.call("register", json={"email": email, "password": password, "name": name})
    expect(registered, refused="http.refused").success("a registration needs no token")
    reply = expect(page.call("login", json={"email": email, "password": password})).success()
    expect(reply).fields(*spec.endpoint("login").fields)
    expect(api.differing_values(reply), "fields of the sign-in that differ", subject=reply.subject, of=reply).is_empty()
    expect(api.as_(text_in(reply, "access_token")).call("me")).success()


@pytest.mark.parametrize("missing", ["email", "password", "name"])
def test_register_refuses_a_missing_field(api: Api, users: Users, missing: str) -> None:
    """contract POST /register: 400 for a missing field."""
    email, password, name = users.credentials("register")
    body = {"email": email, "password": password, "name": name}
    del body[missing]
    expect(api.call("register", json=body)).error("malformed")


def test_register_refuses_a_known_address(api: Api, user: User) -> None:
    """contract POST /register: 400 or 409 for an e-mail address that is registered already."""
    body = {"email": user.email, "password": user.password, "name": user.name}
    expect(api.call("register", json=body)).error("duplicate")


@pytest.mark.parametrize("endpoint", ["login", "auth_login"])
def test_login_answers_a_token_that_works(api: Api, user: User, spec: Specification, endpoint: str) -> None:
    """contract POST /login, /auth/login: 200 with a token of this user, which opens as the type that it is said to have."""
    reply = expect(api.as_page().call(endpoint, json={"email": user.email, "password": user.password})).success()
    expect(reply).fields(*spec.endpoint(endpoint).fields)
    scheme, token = (text_in(reply, name) for name in ("token_type", "access_token"))
    me = expect(api.having({"Authorization": f"{scheme} {token}"}).call("me")).success()
    expect_own_account(me, user)


@pytest.mark.parametrize("endpoint", ["login", "auth_login"])
def test_login_refuses_a_wrong_password(api: Api, user: User, endpoint: str) -> None:
    """contract POST /login, /auth/login: 401 for a wrong password."""
    expect(api.call(endpoint, json={"email": user.email, "password": user.password + "x"})).error("wrong_password")


@pytest.mark.parametrize("missing", ["email", "password"])
def test_login_refuses_a_missing_field(api: Api, user: User, missing: str) -> None:
    """contract POST /login: 400 for a missing field."""
    body = {"email": user.email, "password": user.password}
    del body[missing]
    expect(api.call("login", json=body)).error("malformed")


def test_login_refuses_bad_json(api: Api) -> None:
    """contract POST /login: 400 for malformed JSON."""
    reply = api.call("login", content=b"{not json", headers={"Content-Type": "application/json"})
    expect(reply).error("malformed")


@pytest.mark.parametrize("missing", ["email", "password"])
def test_auth_login_refuses_a_missing_field(api: Api, user: User, missing: str) -> None:
    """contract POST /auth/login: 422 for a missing field."""
    body = {"email": user.email, "password": user.password}
    del body[missing]
    expect(api.call("auth_login", json=body)).error("malformed")


def test_signup_creates_a_user(api: Api, users: Users, spec: Specification) -> None:
    """contract POST /auth/signup: 201, and the user can sign in, and is known, without a name too."""
    email, password, _ = users.credentials("signup")
    page = api.as_(spec.probes.wrong_token).as_page()
    signed_up = page.call("signup", json=sign_up_by_a_page(email, password))
    expect(signed_up, refused="http.refused").success("a registration needs no token")
    reply = expect(api.call("auth_login", json={"email": email, "password": password})).success()
    expect(api.as_(text_in(reply, "access_token")).call("me")).success("the token is valid")


@pytest.mark.parametrize("missing", ["email", "password", "consent_version", "consent_timestamp"])
def test_signup_refuses_a_missing_field(api: Api, users: Users, missing: str) -> None:
    """contract POST /auth/signup: 400 or 422 for a missing field."""
    email, password, _ = users.credentials("signup")
    body = sign_up(email, password)
    del body[missing]
    expect(api.call("signup", json=body)).error("malformed")


@pytest.mark.about("cache.private")
@pytest.mark.parametrize("endpoint", ["me", "auth_user"])
def test_two_callers_in_turn_each_see_their_own_account(
    api: Api, user: User, another_user: User, spec: Specification, endpoint: str
) -> None:
    """contract GET /me, /auth/user: the second of two callers does not get the answer of the first."""
    callers = (user, another_user)
    replies = [expect(api.as_(caller).call(endpoint)).success(because="the token is valid") for caller in callers]
    first, second = (expect(reply).fields(*spec.endpoint(endpoint).fields) for reply in replies)
    of = replies[-1]
    first_id, second_id = (id_in(reply, "id") for reply in replies)
    expect(second_id, "id shown to the second caller", subject=of.subject, of=of).differs_from(first_id)
    expect(second["email"], "e-mail shown to the second caller", subject=of.subject, of=of).differs_from(first["email"])
    for reply, caller in zip(replies, callers, strict=True):
        expect_own_account(reply, caller)
