"""Exchanges for the observers of what every answer promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gate.observers import Exchanged
from gate.session import Session
from tests.observed.cases import ALICE, Case, answered, rows
from tests.recorded import SPEC

ID, TIME = SPEC.monitoring.request_id_header, SPEC.monitoring.process_time_header
NOT_FOUND = {"detail": "Not Found"}
TRACE = 'Traceback (most recent call last):\n  File "/app/api/jobs.py", line 40, in job\n'
PAGE = "<!doctype html><title>API</title>"
ORIGIN = SPEC.networking.cors_origins[0]
DUPLICATE = {"error_type": "duplicate_document", "message": "known", "document_title": "a.pdf", "last_uploaded": "2026-11-26"}


def of_a_page(exchange: Exchanged) -> Exchanged:
    """The same exchange, asked by a page of the front end."""
    return replace(exchange, sent_headers={"origin": ORIGIN})


def plant_ids(session: Session) -> None:
    """The id of one request, and one that another has brought."""
    session.observers.see(answered("status", {}, headers={ID: "the-same"}))
    session.observers.see(replace(answered("me", {}, headers={ID: "brought"}), sent_headers={ID: "brought"}))


def plant_times(session: Session) -> None:
    """Answers that all say that they took as long as each other, to the microsecond."""
    for _ in range(7):
        session.observers.see(answered("jobs", {}, headers={TIME: "0.000123"}))


PROMISES: Mapping[str, Case] = {
    "request_ids": Case(
        [
            answered("me", NOT_FOUND, status=404, headers={ID: ""}),
            answered("me", {"id": ALICE}, headers={ID: "the-same"}),
            answered("me", {"id": ALICE}, headers={ID: "brought"}),
        ],
        [
            answered("me", {"id": ALICE}),
            answered("health", {}, headers={ID: "the-same", "Age": "3"}),
            replace(answered("health", {}, headers={ID: "the-same"}), sent_headers={ID.lower(): "the-same"}),
        ],
        plant_ids,
    ),
    "process_times": Case(
        [
            answered("me", {}, headers={TIME: ""}),
            answered("me", {}, headers={TIME: "12.5"}),
            answered("me", {}, headers={TIME: "-0.001"}),
            answered("me", {}, headers={TIME: "12 ms"}),
            answered("jobs", {}, headers={TIME: "0.000123"}),
            answered("chat", {"metadata": {"processing_time": 0.018, "retrieval_seconds": 0.013}}, headers={TIME: "0.001"}),
        ],
        [
            answered("chat", {"metadata": {"processing_time": 0.012, "retrieval_seconds": 0.016}}, headers={TIME: "0.013"}),
            answered("chat", {"metadata": {"processing_time": 18.0}}, headers={TIME: "0.018"}),
            *(answered("me", {}, headers=headers) for headers in ({}, {TIME: "2e-3"}, {TIME: "0.0"})),
            *(answered("jobs", {}, headers={TIME: "0.000124"}) for _ in range(8)),
            *(answered("status", {}, headers={TIME: "0.001"}) for _ in range(7)),
        ],
        plant_times,
    ),
    "content_types": Case(
        [answered("me", PAGE, kind="text/html"), answered("me", NOT_FOUND, status=404, kind="text/plain"), answered("me", "{")],
        [
            answered("docs", PAGE, kind="text/html"),
            answered("me", {}, kind="application/json; charset=utf-8"),
            answered("me", NOT_FOUND, status=404, kind="application/problem+json"),
        ],
    ),
    "error_forms": Case(
        [
            answered("upload", True, status=413),
            answered("me", {"ok": False}, status=401),
            answered("me", {"detail": ""}, status=401),
        ],
        [
            answered("me", NOT_FOUND, status=404),
            answered("me", {"error": {"code": "E404"}}, status=404),
            answered("me", {"message": "no"}, status=404),
            answered("me", {"detail": [{"loc": ["body"], "msg": "missing"}]}, status=422),
            answered("health", {"status": "error"}, status=500),
        ],
    ),
    "unbroken": Case(
        [answered("job", {"detail": "internal error"}, status=500, user=ALICE), answered("chat", "Internal", status=500)],
        [
            answered("me", NOT_FOUND, status=404),
            answered("upload", NOT_FOUND, status=503, user=ALICE),
            answered("health", {"status": "error"}, status=500),
            answered("upload_proxy", NOT_FOUND, status=500, user=ALICE),
        ],
    ),
    "agreed_fields": Case(
        [
            answered("job", {"job_id": ALICE, "status": "uploaded"}, user=ALICE, at={"job_id": ALICE}),
            answered("chat_alias", {"text": "Yes."}, user=ALICE),
            answered("auth_login", {"access_token": "x", "token_type": "jwt", "user": {}}),
            answered("upload", {"detail": DUPLICATE | {"error_type": "duplicate"}}, status=409, user=ALICE),
            answered("upload", {"error_type": "duplicate_document", "message": "known"}, status=409, user=ALICE),
            answered("auth_login", {"access_token": "x", "token_type": None, "user": {}}),
            answered("me", {"id": None, "email": "a@example.test", "name": None}, user=ALICE),
        ],
        [
            answered("auth_login", {"access_token": "x", "token_type": "bearer", "user": {}, "more": 1}),
            answered("upload", {"detail": DUPLICATE}, status=409, user=ALICE),
            answered("upload", NOT_FOUND, status=429, user=ALICE),
            answered("retry", {}, user=ALICE, at={"job_id": ALICE}),
            answered("me", {"id": ALICE, "email": "a@example.test", "name": None}, user=ALICE),
        ],
    ),
    "challenges": Case(
        [
            answered("me", NOT_FOUND, status=401),
            answered("auth_user", NOT_FOUND, status=401, headers={"WWW-Authenticate": "Basic"}),
            answered("jobs", NOT_FOUND, status=401, user=ALICE, headers={"WWW-Authenticate": ""}),
        ],
        [
            answered("me", NOT_FOUND, status=401, headers={"WWW-Authenticate": 'bearer error="invalid_token"'}),
            answered("me", NOT_FOUND, status=401, headers={"WWW-Authenticate": "Basic realm=x, Bearer"}),
            answered("login", NOT_FOUND, status=401),
        ],
    ),
    "origins": Case(
        [
            of_a_page(answered("me", {}, status=401)),
            of_a_page(answered("me", {"id": ALICE}, headers={"Access-Control-Allow-Origin": "https://other.example"})),
        ],
        [
            of_a_page(answered("me", {"id": ALICE}, headers={"Access-Control-Allow-Origin": ORIGIN})),
            of_a_page(answered("me", NOT_FOUND, status=500)),
            answered("me", {}),
        ],
    ),
    "inside": Case(
        [
            answered("me", {"detail": TRACE}, status=404),
            answered("me", {"detail": "body is not JSON (/srv/app/api/auth.py: ValueError)"}, status=400),
            answered("me", {"detail": "SELECT job_id FROM upload_jobs WHERE"}, status=404),
            answered("me", {"user": "<api.auth.Caller object at 0x7f2e40>"}),
            rows({"last_error": {"reason": 'File "/app/backend/worker.py", line 7'}}),
        ],
        [
            answered("me", NOT_FOUND, status=404),
            answered("openapi", {"paths": {"/x": {"description": "SELECT a FROM b WHERE c"}}}),
            rows({"last_error": {"stage": "uploaded", "reason": "no such object"}}),
        ],
    ),
    "banners": Case(
        [
            answered("me", {}, headers={"Server": "uvicorn/0.30.1"}),
            answered("me", NOT_FOUND, status=404, headers={"X-Powered-By": "FastAPI/0.115"}),
        ],
        [
            answered("me", {}, headers={"Server": "h2o"}),
            answered("me", {}, headers={"Server": "cloudflare"}),
            answered("me", {}),
        ],
    ),
}
