"""Supabase Auth: the gateway in front of it, the forms of a refusal, and what the service says of itself."""

from __future__ import annotations

import httpx
import pytest

from proof.conformance.clients import Clients
from proof.conformance.marks import operation


def ask(clients: Clients, path: str, key: str | None = None, **headers: str) -> httpx.Response:
    """A request as plain HTTP, with the headers that are given."""
    sent = headers | ({"apikey": key} if key is not None else {})
    return httpx.get(f"{clients.urls.supabase}/auth/v1/{path}", headers=sent)


@operation("Supabase Auth", "a request without a key")
def test_no_key(clients: Clients) -> None:
    answer = ask(clients, "settings")
    assert answer.status_code == 401
    assert set(answer.json()) >= {"message"}
    assert answer.json()["message"] == "No API key found in request"


@operation("Supabase Auth", "a request with a wrong key")
def test_a_wrong_key(clients: Clients) -> None:
    answer = ask(clients, "settings", "not-a-key-of-this-project")
    assert answer.status_code == 401
    assert answer.json()["message"] == "Invalid API key"
    assert "hint" in answer.json()


@operation("Supabase Auth", "a key as a parameter of the address")
def test_a_key_in_the_address(clients: Clients) -> None:
    assert ask(clients, f"settings?apikey={clients.keys.publishable}").status_code == 200


@operation("Supabase Auth", "settings")
def test_settings(clients: Clients) -> None:
    found = ask(clients, "settings", clients.keys.publishable).json()
    assert found["external"]["email"] is True
    assert {"disable_signup", "mailer_autoconfirm", "phone_autoconfirm", "saml_enabled"} <= set(found)


@operation("Supabase Auth", "health")
def test_health(clients: Clients) -> None:
    found = ask(clients, "health", clients.keys.publishable).json()
    assert found["name"] == "GoTrue"
    assert found["version"].startswith("v")


def sign_in(clients: Clients, content: str, grant: str = "password", **headers: str) -> httpx.Response:
    """A sign-in as plain HTTP."""
    sent = {"apikey": clients.keys.publishable, "Content-Type": "application/json"} | headers
    url = f"{clients.urls.supabase}/auth/v1/token?grant_type={grant}"
    return httpx.post(url, headers=sent, content=content)


@operation("Supabase Auth", "form of a refusal, for clients of the first version")
def test_the_first_form(clients: Clients) -> None:
    answer = sign_in(clients, '{"email": "nobody@example.com", "password": "wrong-password"}')
    assert answer.status_code == 400
    assert answer.json() == {"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"}


@operation("Supabase Auth", "form of a refusal, for clients of version 2024-01-01")
def test_the_second_form(clients: Clients) -> None:
    version = {"X-Supabase-Api-Version": "2024-01-01"}
    answer = sign_in(clients, '{"email": "nobody@example.com", "password": "wrong-password"}', **version)
    assert answer.status_code == 400
    assert answer.json() == {"code": "invalid_credentials", "message": "Invalid login credentials"}
    assert answer.headers["x-supabase-api-version"] == "2024-01-01"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"email": ["a"]}'])
@operation("Supabase Auth", "a body that cannot be read")
def test_a_broken_body(clients: Clients, content: str) -> None:
    answer = sign_in(clients, content)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "bad_json"


@operation("Supabase Auth", "an unknown grant")
def test_an_unknown_grant(clients: Clients) -> None:
    answer = sign_in(clients, "{}", grant="client_credentials")
    assert answer.status_code == 400
    assert answer.json()["msg"] == "unsupported_grant_type"


@operation("Supabase Auth", "a provider that is switched off")
def test_authorize(clients: Clients) -> None:
    # A browser comes without a key.
    answer = ask(clients, "authorize?provider=gitlab")
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "validation_failed"


@operation("Supabase Auth", "a secret key as a Bearer token beside another key")
def test_a_key_is_no_token_of_another(clients: Clients) -> None:
    bearer = f"Bearer {clients.keys.secret}"
    if not clients.keys.secret.startswith("sb_"):
        assert ask(clients, "admin/users", clients.keys.publishable, Authorization=bearer).status_code == 200
        return
    assert ask(clients, "admin/users", clients.keys.publishable, Authorization=bearer).status_code in (401, 403)
    assert ask(clients, "admin/users", clients.keys.secret, Authorization=bearer).status_code == 200
    assert ask(clients, "admin/users", clients.keys.secret).status_code == 200
