"""The twin keeps its own description, and a report of schemathesis is read in full: failures, errors, what was not asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gate.session import Session
from proof.described import ask, failures_in
from proof.targets import operator_of, running

UPLOAD = "POST /api/upload-pipeline/upload"
CLEAN: dict[str, Any] = {
    "complete": True,
    "stop_reason": "completed",
    "operations": {"total": 2, "tested": 2},
    "failures": [],
    "errors": [],
    "warnings": {"missing_auth": [], "low_valid_rate": [UPLOAD]},
}


@pytest.fixture
def twin() -> Iterator[Session]:
    """The operator's session on a twin."""
    with running() as target, operator_of(target) as session:
        yield session


def test_the_twin_does_what_its_openapi_json_says(twin: Session) -> None:
    found = ask(twin, seed=1, examples=1)
    assert found.failures == (), found.text
    assert found.requests > 200


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ({}, []),
        (
            {"failures": [{"code": "ST103", "title": "Undocumented status code", "operations": ["GET /me", "GET /"]}]},
            ["GET /: Undocumented status code (ST103)", "GET /me: Undocumented status code (ST103)"],
        ),
        ({"errors": [{"title": "Network error", "count": 1}]}, ["error: Network error"]),
        ({"warnings": {"missing_auth": [UPLOAD]}}, [f"{UPLOAD}: every request was refused as not signed in"]),
        ({"operations": {"total": 2, "tested": 1}}, ["1 of 2 operations were asked: completed"]),
        ({"complete": False, "stop_reason": "interrupted"}, ["2 of 2 operations were asked: interrupted"]),
    ],
)
def test_what_differs_or_was_not_asked_is_a_line_each(more: dict[str, Any], lines: list[str]) -> None:
    assert failures_in(CLEAN | more) == lines
