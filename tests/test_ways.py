"""What an answer shows of a job or document, held against its rows."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.ways import DOCUMENT, JOB, Reader
from tests.recorded import SPEC

JOB_ID, DOCUMENT_ID = "0a000000-0000-4000-8000-000000000001", "0a000000-0000-4000-8000-000000000002"
CREATED, UPDATED = "2026-11-26T20:19:20.763377+00:00", "2026-11-26T20:19:22.214193+00:00"
STORED: dict[str, dict[str, Any]] = {
    "jobs": {
        "job_id": JOB_ID, "document_id": DOCUMENT_ID, "status": "complete", "state": "done", "retry_count": 1,
        "progress": {"chunks": 7}, "last_error": None, "created_at": CREATED, "updated_at": UPDATED,
    },
    "documents": {
        "document_id": DOCUMENT_ID, "filename": "Größe.pdf", "bytes_len": 512, "file_sha256": "ab" * 32,
        "processing_status": "complete", "created_at": CREATED, "updated_at": UPDATED,
    },
}  # fmt: skip
READER = Reader(SPEC.observing.columns, SPEC.readings, SPEC.database.table(SPEC.pipeline.jobs_table).checks["status"])


def differing(kind: str, body: Any) -> list[str]:
    """Fields that differ."""
    return [found.field for found in READER.differences(kind, body, STORED)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("updated_at", CREATED),
        ("updated_at", "2026-11-26T20:19:22.114193+00:00"),
        ("updated_at", None),
        ("created_at", UPDATED),
        ("filename", "Grosse.pdf"),
        ("bytes_len", 511),
        ("file_sha256", "ab" * 31 + "ac"),
        ("status", "parsed"),
        ("processing_status", "embeddings_stored"),
        ("state", "queued"),
        ("retry_count", 0),
        ("last_error", {"reason": "none"}),
        ("progress", {"chunks": 6, "percent": 100}),
        ("job_id", DOCUMENT_ID),
    ],
)
def test_a_field_that_shows_something_else_is_found(field: str, value: object) -> None:
    right = {"document_id": DOCUMENT_ID, "job_id": JOB_ID}
    assert differing(DOCUMENT, right) == []
    assert differing(DOCUMENT, right | {field: value}) == [field]


def test_a_list_is_searched_for_the_job() -> None:
    other = {"job_id": DOCUMENT_ID, "state": "queued"}
    assert differing(JOB, {"items": [other, {"id": JOB_ID, "state": "done"}]}) == []
    assert differing(JOB, {"items": [other, {"job_id": JOB_ID.upper(), "retry_count": 0}]}) == ["retry_count"]


def test_a_job_within_a_document_is_one() -> None:
    assert differing(DOCUMENT, {"document_id": DOCUMENT_ID, "job": {"job_id": JOB_ID, "updated_at": CREATED}}) == ["updated_at"]


def test_forms_and_further_words_are_free() -> None:
    shown = {
        "document_id": DOCUMENT_ID.replace("-", ""), "status": "ready", "retry_count": "1", "filename": "Gro\u0308ße.pdf",
        "updated_at": "2026-11-26T21:19:22+01:00", "progress": 100, "last_error": {}, "further": "field",
    }  # fmt: skip
    assert differing(DOCUMENT, shown) == []
    assert differing("duplicate", {"detail": {"document_title": "Größe.pdf", "last_uploaded": UPDATED}}) == []
    assert differing("duplicate", {"error": {"document_title": "other.pdf"}}) == ["document_title"]
