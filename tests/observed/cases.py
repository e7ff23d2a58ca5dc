"""Exchanges made for observers."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from gate.observers import Exchanged
from gate.session import Session
from tests.recorded import SPEC

ALICE, BOB = str(uuid.UUID(int=0xA11CE)), str(uuid.UUID(int=0xB0B))
# The traced headers of a right answer.
TRACED = {SPEC.monitoring.process_time_header: "0.010"}
TOOK = 0.02


@dataclass(frozen=True)
class Case:
    """What is planted first, exchanges that the observer refuses, and those that it accepts."""

    refused: Sequence[Exchanged]
    accepted: Sequence[Exchanged]
    plant: Callable[[Session], None] = lambda _: None


def token_of(user: str, **more: object) -> str:
    """A token of a user, of a form that real ones have, with more claims."""

    def part(data: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")

    claims = {"sub": user, "role": "authenticated", "email": address_of(user)} | more
    return f"{part({'alg': 'HS256'})}.{part(claims)}.{part('signature of ' + user)}"


def address_of(user: str) -> str:
    """The address of a user."""
    return f"user-{user[-5:]}@example.test"


def answered(
    endpoint: str,
    body: object,
    *,
    status: int = 200,
    user: str = "",
    sent: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    kind: str = "application/json",
    at: Mapping[str, str] | None = None,
) -> Exchanged:
    """An answer of the API to a user, or to one who has not signed in; a body that is text is sent as it is."""
    rule = SPEC.endpoint(endpoint)
    given = {"content-type": kind, SPEC.monitoring.request_id_header: str(uuid.uuid4())} | TRACED | dict(headers or {})
    raw = body if isinstance(body, str) else json.dumps(body)
    return Exchanged(
        "http", "api", rule.subject, rule.method, "https://api.example.test" + rule.path_with(at or {}), status,
        httpx.Headers(given), raw.encode(), TOOK, rule=rule, sent=sent or {},
        sent_headers={"Authorization": f"Bearer {token_of(user)}"} if user else {},
    )  # fmt: skip


def rows(*found: Mapping[str, Any], claims: Mapping[str, Any] | None = None) -> Exchanged:
    """The rows of a query."""
    return Exchanged("rows", "database", "table upload_jobs", "SQL", rows=found, claims=claims)


def log_of(text: str) -> Exchanged:
    """A line of a service's log, as the host shows it."""
    return Exchanged(
        "http", "render", "endpoint GET /v1/logs", "GET", "https://host.example.test/v1/logs?limit=20", 200,
        body=json.dumps({"logs": [{"message": text}]}).encode(),
    )  # fmt: skip
