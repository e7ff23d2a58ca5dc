"""What runs on broken systems would record, one for each of some twenty faults, with texts that invite reading."""

from __future__ import annotations

from typing import TypeAlias

from gate.failures import Value
from reports.model import Check
from tests.recorded import asking, check

# Code, subject, component, and what was observed.
Seen: TypeAlias = tuple[str, str, str, dict[str, Value]]
CHAT, ME = "endpoint POST /api/chat", "endpoint GET /me"
UPLOAD = "endpoint POST /api/upload-pipeline/upload"
WEBHOOK = "endpoint POST /api/upload-pipeline/webhook/llamaparse/{job_id}"
REFUSED: dict[str, Value] = {"status": 401, "body": "invalid api key: F02"}

# Failure mode of the first finding, and what was seen.
FAULTS: dict[str, tuple[str | None, list[Seen]]] = {
    "key of LlamaParse": ("F01", [
        ("key.refused", "key LLAMAPARSE_API_KEY", "llamaparse", REFUSED),
        ("pipeline.stuck", "stage parse_queued", "worker", {"detail": "the webhook never came"}),
    ]),
    "key of OpenAI": ("F02", [
        ("key.refused", "key OPENAI_API_KEY", "openai", REFUSED),
        ("chat.failed", "answer chat", "chat", {"detail": "I apologize"}),
        ("retrieval.empty", "retrieval own", "rag", {"detail": "not found"}),
    ]),
    "URL of the worker's database": ("F03", [
        ("db.unreachable", "variable worker DATABASE_URL", "worker", {"error": "gaierror", "detail": "no such host"}),
        ("pipeline.idle", "queue jobs", "worker", {"detail": "the worker takes no job"}),
    ]),
    "policy of storage": ("F04", [
        ("storage.closed", "bucket files", "storage", {"status": 403, "body": "new row violates row-level security"}),
        ("pipeline.failed", "stage parsed", "worker", {"detail": "Object not found"}),
    ]),
    "services that disagree": ("F05", [("env.differs", "variable SUPABASE_URL", "configuration", {"value": "2 values"})]),
    "CHECK constraint": ("F06", [
        ("db.status_refused", "constraint upload_jobs_status_check", "database", {"value": ["parsed"]}),
        ("pipeline.stuck", "stage parse_queued", "worker", {"detail": "the worker stopped"}),
    ]),
    "old release": ("F07", [
        ("release.differs", "release commit", "api", {"value": "0ld0ld0"}),
        ("route.missing", CHAT, "chat", {"status": 405, "body": "Method Not Allowed"}),
    ]),
    "token check": ("F08", [
        ("auth.refused", ME, "auth", {"status": 401, "body": "not authenticated"}),
        ("auth.refused", UPLOAD, "auth", {"status": 401, "body": "not authenticated"}),
        ("http.unhandled", CHAT, "api", {"status": 500, "body": "Internal Server Error"}),
    ]),
    "user ids": ("F09", [
        ("retrieval.empty", "retrieval own", "rag", {"detail": "no passage"}),
        ("chat.ungrounded", "answer chat", "chat", {"detail": "I could not find it"}),
    ]),
    "password of the database": ("F10", [
        ("health.unhealthy", "part database", "database", {"value": "unhealthy", "detail": "the database is not healthy"}),
    ]),
    "callback URL": ("F12", [
        ("env.value", "variable worker API_BASE_URL", "configuration", {"value": "http://localhost:8000"}),
        ("pipeline.callback", "stage parse_queued", "webhook", {"detail": "3 of 3 documents wait"}),
    ]),
    "missing variable": ("F14", [("env.missing", "variable api SUPABASE_JWT_SECRET", "configuration", {"detail": "not set"})]),
    "another project": ("F15", [
        ("project.mismatch", "key SUPABASE_SERVICE_ROLE_KEY", "supabase", {"value": "another ref"}),
        ("auth.refused", ME, "auth", {"status": 401, "body": "bad JWT"}),
    ]),
    "import of the worker": ("F17", [
        ("build.broken", "image worker", "build", {"error": "ModuleNotFoundError", "detail": "No module named 'x'"}),
        ("pipeline.idle", "queue jobs", "worker", {"detail": "no job is taken"}),
    ]),
    "cached health": ("F19", [("health.stale", "endpoint GET /health", "api", {"seconds": 44.0, "detail": "44 s old"})]),
    "origins": ("F20", [("cors.missing", "origin https://app.example", "network", {"value": None})]),
    "files of strangers": ("F23", [("storage.open", "bucket files", "storage", {"status": 200, "body": "%PDF-1.4 a policy"})]),
    "index": ("F27", [
        ("db.index_missing", "index document_chunks embedding", "database", {"value": []}),
        ("target.slow", "target chat", "chat", {"milliseconds": 9000, "figure": "p95_ms", "detail": "p95 of 40 samples"}),
    ]),
    "write into other folders": (None, [
        ("isolation.write", "endpoint PUT /files", "storage", {"status": 200, "body": "ok"}),
        ("http.value", ME, "auth", {"value": "somebody else"}),
    ]),
    "silent chat": (None, [
        ("http.no_answer", CHAT, "api", {"error": "timeout", "detail": "not finished within 20 s"}),
        ("http.no_answer", CHAT, "api", {"error": "timeout", "detail": "not finished within 5 s"}),
        ("cors.missing", "origin https://app.example", "network", {"value": None}),
    ]),
    "some 502": (None, [
        ("http.proxy_error", ME, "api", {"status": 502, "body": "Bad Gateway: nginx"}),
        ("check.error", "promise x", "chat", {"error": "KeyError", "detail": "'answer'"}),
    ]),
}  # fmt: skip
BLOCKED = {
    "key of OpenAI": "worker",
    "policy of storage": "worker",
    "import of the worker": "worker",
    "password of the database": "database",
}
# The kind of error that a probe of the part met; the others are not unavailable by themselves.
UNAVAILABLE = {"database": "InvalidPasswordError"}


def recording(name: str) -> list[Check]:
    """The checks of a run: those that failed, some that it blocked, and some that passed."""
    _, seen = FAULTS[name]
    checks = [
        check(f"test_{number}", code=code, subject=subject, component=part, observed=observed, what=f"{subject} to be right",
              because="the database is wrong", hint="look at the worker", expected="all to be as specified")
        for number, (code, subject, part, observed) in enumerate(seen)
    ]  # fmt: skip
    if name in BLOCKED:
        checks += [check(f"test_blocked_{n}", "blocked", component="rag", blocked_by=BLOCKED[name]) for n in range(5)]
    checks.append(asking(check("test_health", "passed", "http.status", "endpoint GET /health"), "endpoint GET /health", 5))
    return checks
