"""fixtures/internals/schemathesis_.py: what a new release of schemathesis may break shows here, by its name."""

from datetime import timedelta
from importlib.metadata import version

import httpx
import pytest

from fixtures.internals.schemathesis_ import operations, violations

SAID = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object", "required": ["id"]}}}}}
DESCRIPTION = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {"/things": {"get": {"responses": SAID}}},
}


def found_in(content: bytes, kind: str) -> list[str]:
    """Titles of the violations in one answer."""
    (operation,) = operations(DESCRIPTION)
    request = httpx.Request("GET", "http://localhost/things")
    answer = httpx.Response(200, headers={"content-type": kind}, content=content, request=request)
    answer.elapsed = timedelta(0)
    return [title for title, _ in violations(operation.Case(), answer)]


@pytest.mark.parametrize(
    ("content", "kind", "count"),
    [(b'{"id": 1}', "application/json", 0), (b"{}", "application/json", 1), (b"<p>", "text/html", 1)],
    ids=["as-described", "other-schema", "other-type"],
)
def test_answers_are_held_against_the_description(content: bytes, kind: str, count: int) -> None:
    found = found_in(content, kind)
    assert len(found) == count, f"schemathesis {version('schemathesis')} found {found}"
