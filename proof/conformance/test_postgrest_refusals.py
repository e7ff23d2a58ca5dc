"""PostgREST: what it refuses, with which code and status."""

from __future__ import annotations

import httpx
import pytest
from postgrest.exceptions import APIError

from proof.conformance.clients import Clients
from proof.conformance.marks import operation

SCHEMA = "upload_pipeline"


@operation("PostgREST", "no relation between the tables of a query")
def test_no_relation(clients: Clients) -> None:
    rows = clients.supabase(clients.keys.secret, schema=SCHEMA)
    with pytest.raises(APIError) as refused:
        rows.table("documents").select("*, nothing(*)").execute()
    assert refused.value.code == "PGRST200"
    assert "'documents' and 'nothing'" in str(refused.value.message)


@operation("PostgREST", "tables, columns, values and schemas that there are not")
def test_unknown_names(clients: Clients) -> None:
    rows = clients.supabase(clients.keys.secret, schema=SCHEMA)
    for query, code in (
        (rows.table("nothing").select("*"), "PGRST205"),
        (rows.table("documents").select("nothing"), "42703"),
        (rows.table("documents").select("*").eq("document_id", "not-a-uuid"), "22P02"),
        (rows.table("documents").select("*").filter("filename", "nonsense", "x"), "PGRST100"),
        (rows.table("documents").insert({"nothing": 1}), "PGRST204"),
        (clients.supabase(clients.keys.secret, schema="auth").table("users").select("*"), "PGRST106"),
        (rows.rpc("nothing", {"a": 1}), "PGRST202"),
    ):
        with pytest.raises(APIError) as refused:
            query.execute()
        assert refused.value.code == code


@operation("PostgREST", "statuses of refusals")
def test_statuses(clients: Clients) -> None:
    keys, url = clients.keys, f"{clients.urls.supabase}/rest/v1"

    def status(path: str, key: str = keys.secret, **headers: str) -> tuple[int, str]:
        sent = {"apikey": key, "Authorization": f"Bearer {key}", "Accept-Profile": SCHEMA} | headers
        reply = httpx.get(f"{url}/{path}", headers=sent)
        return reply.status_code, reply.json()["code"]

    assert status("nothing") == (404, "PGRST205")
    assert status("documents?select=nothing") == (400, "42703")
    assert status("documents", **{"Accept-Profile": "auth"}) == (406, "PGRST106")
    assert status("documents?limit=2", Accept="application/xml") == (406, "PGRST107")
    assert status("documents", keys.publishable) == (401, "42501")


@operation("PostgREST", "a token that is not one")
def test_a_broken_token(clients: Clients) -> None:
    headers = {"apikey": clients.keys.publishable, "Authorization": "Bearer a.b.c"}
    reply = httpx.get(f"{clients.urls.supabase}/rest/v1/documents", headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (401, "PGRST301")
    assert reply.headers["www-authenticate"].startswith("Bearer")


@operation("PostgREST", "statements without a condition")
def test_everything_at_once_is_refused(clients: Clients) -> None:
    headers = {"apikey": clients.keys.publishable, "Authorization": f"Bearer {clients.keys.publishable}"}
    reply = httpx.delete(f"{clients.urls.supabase}/rest/v1/documents", headers=headers | {"Content-Profile": SCHEMA})
    assert reply.status_code in (400, 401)
