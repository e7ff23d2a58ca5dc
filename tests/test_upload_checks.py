"""What the checks of uploads read: the end of a link, names in a body, statuses of a refusal, and a worker that has come by."""

import math
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from _pytest.outcomes import Skipped

from fixtures.pipeline import Pipeline
from fixtures.unsent import Unsent
from fixtures.upload_links import end_of
from fixtures.upload_names import Shown, named_in
from fixtures.upload_ways import filled, statuses_in
from gate.failures import NotConfigured
from gate.http import Reply
from spec import load

SPEC = load()
SECRET = "a-secret-of-a-project-that-is-long-enough"
PATH = "https://storage.example.test/object/upload/sign/files/a.pdf"


def link(**claims: Any) -> str:
    """A link of storage with these claims."""
    return f"{PATH}?token={jwt.encode({'url': 'files/a.pdf', **claims}, SECRET, algorithm='HS256')}"


def test_the_end_of_a_link_stands_in_its_token() -> None:
    end = end_of(link(exp=int(time.time()) + 600))
    assert 590 < end.seconds <= 600
    assert end.longest(SPEC) == SPEC.uploads.vendor_link_seconds


def test_a_token_without_an_end_never_ends() -> None:
    assert end_of(link()).seconds == math.inf


@pytest.mark.parametrize(("since", "unit"), [(0, 1), (1, 1), (1, 1000)], ids=["seconds left", "a time", "a time in ms"])
def test_the_end_of_a_link_stands_in_its_query(since: int, unit: int) -> None:
    number = (since * int(time.time()) + 600) * unit
    end = end_of(f"{PATH}?X-Amz-Expires={number}&signature=abc")
    assert 540 < end.seconds <= 600
    assert end.longest(SPEC) == SPEC.limits.signed_url_ttl_seconds


def test_a_link_that_says_nothing_of_its_end_is_not_judged() -> None:
    with pytest.raises(Skipped):
        end_of(f"{PATH}?id=5f0c&signature=abc")


def test_a_prolonged_link_has_a_later_end_and_the_old_signature() -> None:
    given = end_of(link(exp=int(time.time()) + 600))
    later = end_of(given.prolonged())
    assert later.at == given.at + 3600
    assert later.token.rpartition(".")[2] == given.token.rpartition(".")[2]
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(later.token, SECRET, algorithms=["HS256"])
    assert "expires=4600&signature=abc" in end_of(f"{PATH}?expires=1000&signature=abc").prolonged()


def test_a_link_that_is_signed_again_differs_in_its_end_only() -> None:
    given = end_of(link(exp=int(time.time()) + 600, owner="somebody"))
    late = end_of(given.signed_again(SECRET, -60))
    assert late.seconds < 0
    claims = jwt.decode(late.token, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    assert (claims["url"], claims["owner"]) == ("files/a.pdf", "somebody")
    with pytest.raises(NotConfigured):
        given.signed_again("", -60)
    with pytest.raises(Skipped):
        end_of(f"{PATH}?expires=1000").signed_again(SECRET, -60)


def test_names_are_found_in_a_body_however_deep() -> None:
    body = {"document": {"filename": "a.pdf", "size": 1}, "file_name": "b.pdf", "filename": None}
    assert sorted(named_in(body, SPEC.uploads.name_fields)) == [("file_name", "b.pdf"), ("filename", "a.pdf")]


def test_a_name_is_kept_with_or_without_its_ending_and_in_no_other_form() -> None:
    names = SPEC.uploads.names
    one = Shown(names["accents_decomposed"])
    assert one.is_kept(one.name)
    assert one.is_kept(one.name.removesuffix(".pdf"))
    assert not one.is_kept(names["accents_composed"])


@pytest.mark.parametrize(
    ("status", "body", "statuses"),
    [
        (413, b"", {413}),
        (400, b'{"statusCode": "413"}', {400, 413}),
        (400, b"[]", {400}),
        (400, b'{"statusCode": null}', {400}),
    ],
)
def test_a_refusal_has_the_statuses_of_its_body_too(status: int, body: bytes, statuses: set[int]) -> None:
    reply = Reply("PUT", PATH, status, httpx.Headers(), body, 0.1, "storage", SPEC.call("storage", "signed_upload"))
    assert statuses_in(reply) == statuses


def test_a_file_begins_as_a_pdf_and_holds_every_byte() -> None:
    body = filled(SPEC, 1000)
    assert len(body) == 1000
    assert body.startswith(b"%PDF-")
    assert len(set(body)) == 256


class Rows:
    """A job's row that changes at the third look, or never."""

    claim_limit = 0.2
    states = SPEC.pipeline.states

    def __init__(self, changes: bool) -> None:
        self.changes, self.looks = changes, 0

    def existing_job(self, job_id: str) -> dict[str, Any]:
        """The row."""
        self.looks += 1
        made = datetime(2026, 1, 1, tzinfo=UTC)
        changed = made + timedelta(seconds=int(self.changes and self.looks > 2))
        return {"created_at": made, "updated_at": changed, "state": self.states.retryable}


@pytest.mark.parametrize("changes", [True, False])
def test_a_worker_has_come_by_when_the_row_was_changed_or_it_must_have(changes: bool) -> None:
    rows: Any = Rows(changes)
    one = Unsent("job", "document", "link", time.time(), time.time() + 300)
    pipeline: Pipeline = rows
    row = one.met(pipeline)
    assert (row["updated_at"] > row["created_at"]) == changes
    assert time.time() - one.began < 1
