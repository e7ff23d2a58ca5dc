"""Exchanges for the observers of what every answer promises."""

from __future__ import annotations

from collections.abc import Mapping

from tests.observed.cases import ALICE, Case, answered, rows
from tests.recorded import SPEC

ID, TIME = SPEC.monitoring.request_id_header, SPEC.monitoring.process_time_header
NOT_FOUND = {"detail": "Not Found"}
TRACE = 'Traceback (most recent call last):\n  File "/app/api/jobs.py", line 40, in job\n'
PAGE = "<!doctype html><title>API</title>"


PROMISES: Mapping[str, Case] = {
    "request_ids": Case(
        [answered("me", NOT_FOUND, status=404, headers={ID: ""}), answered("me", {"id": ALICE}, headers={ID: "the-same"})],
        [answered("me", {"id": ALICE}), answered("health", {}, headers={ID: "the-same", "Age": "3"})],
        lambda session: session.observers.see(answered("status", {}, headers={ID: "the-same"})),
    ),
    "process_times": Case(
        [
            answered("me", {}, headers={TIME: ""}),
            answered("me", {}, headers={TIME: "12.5"}),
            answered("me", {}, headers={TIME: "-0.001"}),
            answered("me", {}, headers={TIME: "12 ms"}),
        ],
        [answered("me", {}), answered("me", {}, headers={TIME: "2e-3"}), answered("me", {}, headers={TIME: "0.0"})],
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
