"""8.2.2 Test API endpoints functionality: file names by script and length, in each answer (contract: HTTP API)."""

import pytest

from fixtures.upload_names import LONGEST, Shown
from fixtures.violations import NAME_LIMIT
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from spec import Specification
from spec.upload_entries import file_names

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "database"),
    promised("pipeline", "limits", "uploads"),
]


def expect_kept(one: Shown) -> None:
    """Expects that a name is shown as it was sent, wherever it is."""
    __tracebackhide__ = True
    for place in one.places:
        facts = {"sent": ascii(one.name), "shown": ascii(place.shown)}
        kept = expect(place.shown, "file name", code=place.code, subject=place.subject, facts=facts, of=place.reply)
        if not one.is_kept(place.shown):
            kept.equals(one.name, "people find their document by its name")


@each("name", file_names)
@pytest.mark.about("http.value")
def test_a_file_name_comes_back_unchanged(shown_names: dict[str, Shown], spec: Specification, name: str) -> None:
    """contract POST …/upload, GET /documents/{document_id}/status: the name of up to 120 characters, in every script."""
    one = shown_names[name]
    reply = one.require()
    if name in spec.uploads.refusable_names and reply.status in reply.known().error("malformed"):
        not_applicable(f"a name such as {one.name} is refused, as it may be")
    expect(reply).success("the contract limits the length of a name, and nothing else")
    expect_kept(one)


@pytest.mark.about("limit.strict", f"limit {NAME_LIMIT}")
def test_the_longest_name_is_counted_in_characters(shown_names: dict[str, Shown]) -> None:
    """contract POST …/upload: filename of at most 120 characters, however many bytes they take."""
    one = shown_names[LONGEST]
    reply = one.require()
    expect(reply).success("the limit itself is allowed")
    expect_kept(one)
