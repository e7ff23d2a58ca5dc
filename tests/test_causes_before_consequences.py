"""What is named where one broken thing is loud elsewhere: the thing, not what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from reports.model import Check, Finding
from tests.recorded import check, concluded

WEBHOOK = "endpoint POST /api/upload-pipeline/webhook/llamaparse/{job_id}"
Seen = tuple[str, str, str, dict[str, Any]]
WAITS: Seen = ("pipeline.callback", "stage parse_queued", "webhook", {"waiting": 8, "of": 8})
REFUSED: Seen = ("webhook.refused", WEBHOOK, "api", {"status": 401})
BROKEN: Seen = ("http.server_error", WEBHOOK, "api", {"status": 500})
HEALTH: Seen = ("http.server_error", "endpoint GET /health", "api", {"status": 500})
QUESTIONS: Seen = ("vectors.foreign", "vectors questions", "rag", {"model": "another"})
STORED: Seen = ("vectors.foreign", "vectors document_chunks.embedding", "rag", {"value": 0.1})
EMPTY: Seen = ("retrieval.empty", "retrieval own documents", "rag", {})
ROW: Seen = ("db.row_refused", "table document_chunks", "database", {"error": "CheckViolationError"})
FAILED: Seen = ("pipeline.failed", "stage chunks_stored", "worker", {"outcome": "failed"})
BORN: Seen = ("queue.unheld", "column upload_jobs.state", "database", {"state": "working"})
IDLE: Seen = ("pipeline.idle", "queue upload_jobs", "worker", {"state": "queued"})
BUSY: Seen = ("pipeline.stuck", "stage parse_validated", "worker", {"state": "working"})
LOST: Seen = ("pipeline.callback", "stage parse_queued", "storage", {"status": 404})
FILE: Seen = ("storage.missing", "object user/{user_id}/parsed/{name}.md", "storage", {"status": 404})
NAMED: Seen = ("chat.invented", "answer sources", "chat", {"sources": 4})
OTHER: Seen = ("retrieval.foreign", "retrieval own documents", "rag", {"documents": 4})
THEIRS: Seen = ("retrieval.foreign", "retrieval own documents", "rag", {"passages": 2})
HEARD: Seen = ("retrieval.foreign", "retrieval own documents", "rag", {"value": True})
CLOSED: Seen = ("storage.closed", "bucket files", "storage", {"status": 403})
ALIVE = check("alive", "passed", "pipeline.idle", "service worker", component="worker")


def first(seen: list[Seen], *passed: Check) -> Finding:
    """The finding that stands first."""
    failed = [
        check(f"test_{number}", code=code, subject=subject, component=component, observed=observed)
        for number, (code, subject, component, observed) in enumerate(seen)
    ]
    return concluded([*failed, *passed])[0]


@pytest.mark.parametrize(
    ("seen", "component", "mode", "title"),
    [
        ([WAITS], "webhook", "F12", "no callback takes effect"),
        ([WAITS, REFUSED], "webhook", None, "refuses rightly signed"),
        ([WAITS, BROKEN], "webhook", None, "break the webhook"),
        ([LOST], "webhook", "F13", "some callbacks are lost"),
        ([QUESTIONS, EMPTY], "rag", "F11", "questions are embedded"),
        ([QUESTIONS, STORED, EMPTY], "rag", "F11", ""),
        ([ROW, FAILED], "database", None, ""),
        ([FILE, FAILED], "storage", None, ""),
        ([FILE, CLOSED, FAILED], "storage", "F04", ""),
        ([BORN, IDLE], "database", None, "from their beginning"),
        ([IDLE], "worker", None, ""),
    ],
)
def test_the_broken_thing_comes_first(seen: list[Seen], component: str, mode: str | None, title: str) -> None:
    found = first(seen)
    named = found.rule.title if found.rule else ""
    assert (found.component, found.failure_mode) == (component, mode)
    assert title in named
    assert bool(title) is bool(named)


def test_a_webhook_that_breaks_with_the_whole_api_is_not_named_for_it() -> None:
    found = first([WAITS, BROKEN, HEALTH])
    assert "webhook" not in (found.rule.title if found.rule else "")


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        ([NAMED, OTHER, EMPTY], "chat.invented"),
        ([NAMED, OTHER, THEIRS], "retrieval.foreign"),
        ([NAMED, HEARD], "retrieval.foreign"),
        ([OTHER], "retrieval.foreign"),
    ],
)
def test_a_wrong_name_of_a_document_is_no_other_users_document(seen: list[Seen], code: str) -> None:
    assert first(seen).code == code


@pytest.mark.parametrize(("seen", "title"), [([IDLE, BUSY], "takes so long"), ([IDLE], "takes some jobs")])
def test_a_worker_that_took_a_job_is_not_silent(seen: list[Seen], title: str) -> None:
    found = first(seen, ALIVE)
    assert found.rule is not None
    assert title in found.rule.title
    assert first(seen).rule is None
