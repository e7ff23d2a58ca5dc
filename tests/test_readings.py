"""The readers of observed values: each accepted form is read, nothing else is, and what cannot be read says so."""

import dataclasses
from datetime import UTC, datetime

import httpx
import pytest

from fixtures.api import job_ids
from fixtures.uploads import altered
from gate.client import slashed
from gate.exchange import Received
from gate.failures import Failure
from gate.fields import id_in, uuid_in
from gate.readings import digest, entries, identifier, last_digit, moment, number, uuid_text, version_in, within
from gate.reply import Reply
from spec import load
from spec.model import Readings

ACCEPTED, PLAIN = load().readings, Readings()
ID = "8cedf099-e78f-4247-9a2b-8fdc823720dc"
OTHER_FORMS = [ID.upper(), ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", f"{{{ID.upper()}}}"]
NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def reply(body: str, status: int = 200) -> Reply:
    url, content = "https://api.test/jobs", body.encode()
    return Reply("GET", url, status, httpx.Headers(), content, 0.01, "api", readings=ACCEPTED)


@pytest.mark.parametrize("text", OTHER_FORMS)
def test_an_id_is_one_id_in_every_accepted_form(text: str) -> None:
    assert identifier(text, ACCEPTED) == uuid_text(text, ACCEPTED) == ID
    assert identifier(text, PLAIN) == text != ID


@pytest.mark.parametrize("stored", [bytes.fromhex("ab" * 32), "AB" * 32])
def test_a_hash_is_one_hash_in_every_accepted_form(stored: object) -> None:
    assert digest(stored, ACCEPTED) == "ab" * 32
    assert digest(stored, PLAIN) == stored


@pytest.mark.parametrize("stored", [None, 7, "not a hash"])
def test_what_is_no_hash_stays_as_it_is(stored: object) -> None:
    assert digest(stored, ACCEPTED) == stored


def test_other_ids_stay_as_they_are() -> None:
    assert identifier("job-7", ACCEPTED) == "job-7"
    assert identifier(ID, PLAIN) == ID
    with pytest.raises(Failure):
        uuid_text("job-7", ACCEPTED)


@pytest.mark.parametrize("value", [None, "", " ", 7, True, [], {"id": ID}])
def test_what_is_no_id_says_so(value: object) -> None:
    with pytest.raises(Failure):
        identifier(value, ACCEPTED)


@pytest.mark.parametrize(
    ("value", "read"), [(3, 3.0), (5.24288e6, 5242880.0), ("+0.83", 0.83), ("1.2e-05", 1.2e-05), (" -1. ", -1.0), (".5", 0.5)]
)
def test_a_number_is_read_in_every_notation(value: object, read: float) -> None:
    assert number(value) == read


@pytest.mark.parametrize("value", [None, True, "", "many", "0x10", "1_000", "nan", float("inf"), "1e999", "83 %", [1], "1,5"])
def test_what_is_no_number_says_so(value: object) -> None:
    with pytest.raises(Failure):
        number(value)


def test_percent_is_a_share_where_it_is_accepted() -> None:
    assert number("83.5 %", percent=True) == 0.835
    assert [last_digit(text) for text in ("12", "0.123", "1.2e-05")] == [1.0, 1e-3, 1e-6]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T12:00:00Z",
        "2026-01-02T12:00:00z",
        "2026-01-02 12:00:00+00:00",
        "2026-01-02T17:30:00.000000000+0530",
        "2026-01-02T12:00:00",
        " 2026-01-02T12:00:00.0Z",
    ],
)
def test_a_time_is_one_time_in_every_zone(text: str) -> None:
    assert moment(text) == NOON


@pytest.mark.parametrize("value", [1767355200, "1767355200", 1767355200.0004, 1767355200000, "1767355200000.25", 1.7673552e9])
def test_a_time_may_be_a_number_since_1970(value: object) -> None:
    assert moment(value, ACCEPTED.time_forms) == NOON
    with pytest.raises(Failure):
        moment(value)


@pytest.mark.parametrize("value", [None, "", "noon", {}, True, 0, -1767355200, 20260102, 17673552000, "1767355200 s"])
def test_what_is_no_time_says_so(value: object) -> None:
    for forms in ((), ACCEPTED.time_forms):
        with pytest.raises(Failure):
            moment(value, forms)


@pytest.mark.parametrize("text", ["1.0.0-staging", "v1.0.0-staging", "1.0.0-staging+g42d8150", "Navigator v1.0.0-staging (77)"])
def test_a_version_is_found_where_it_is_named(text: str) -> None:
    assert version_in(text, "1.0.0-staging", ACCEPTED) == "1.0.0-staging"


@pytest.mark.parametrize(
    "text", ["3.0.0", "1.0.0-staging-2", "11.0.0-staging", "1.0.0-staging.1", "1.0.0", "Navigator 2", None]
)
def test_another_version_is_another_version(text: str | None) -> None:
    assert version_in(text, "1.0.0-staging", ACCEPTED) == (text or "")


@pytest.mark.parametrize(
    "body",
    [
        '[{"job_id": "7"}]',
        '{"total": 1, "jobs": [{"job_id": "7"}]}',
        '{"filters": {"jobs": null}, "data": {"items": [{"job_id": "7"}]}}',
        '{"_links": {"self": {}}, "page": {"size": 1}, "_embedded": {"jobs": [{"id": "7"}]}}',
        '[{"id": "other", "job_id": "7"}]',
    ],
)
def test_a_listing_is_found_in_its_wrapping(body: str) -> None:
    assert job_ids(reply(body)) == ["7"]


@pytest.mark.parametrize(
    "body", ["{}", "7", '{"jobs": null}', '["7"]', '[{"name": "7"}]', '[{"job_id": null, "id": "7"}]', '{"rows": []}']
)
def test_what_is_no_listing_of_jobs_says_so(body: str) -> None:
    with pytest.raises(Failure) as failed:
        job_ids(reply(body))
    assert failed.value.code == "http.value"
    with pytest.raises(Failure):
        entries({"jobs": []}, PLAIN)


def test_the_fields_of_an_error_may_lie_in_an_envelope() -> None:
    for body in ({"code": 1}, {"detail": {"code": 1}}, {"error": {"code": 1}, "trace": []}):
        assert within(body, ["code"], ACCEPTED.error_envelopes)["code"] == 1
    assert within({"other": {"code": 1}}, ["code"], ACCEPTED.error_envelopes) == {"other": {"code": 1}}
    assert reply('{"detail": {"code": 1}}', 200).object_with("code") == {"detail": {"code": 1}}


@pytest.mark.parametrize(("body", "code"), [("{}", "http.fields"), ('{"job_id": 7}', "http.value"), ("[]", "http.fields")])
def test_a_field_that_cannot_be_read_is_named(body: str, code: str) -> None:
    for read in (id_in, uuid_in):
        with pytest.raises(Failure) as failed:
            read(reply(body), "job_id")
        assert failed.value.code == code


@pytest.mark.parametrize(
    ("location", "followed"),
    [
        ("https://api.test/me/", True),
        ("/me/", True),
        ("http://api.test/me/", False),
        ("https://other.test/me/", False),
        ("/me", False),
        ("/you/", False),
    ],
)
def test_only_a_slash_is_followed(location: str, followed: bool) -> None:
    received = Received(307, httpx.Headers({"Location": location}), b"")
    assert (slashed("https://api.test/me", received, [307]) is not None) is followed
    assert slashed("https://api.test/me", dataclasses.replace(received, status=302), [307, 308]) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://s.test/object/key?token=aaaa.bbbb.cccccccccc&x-id=Put",
        "/files/user/7/signature-that-is-long",
        "/up?sig=0123456789",
    ],
)
def test_a_signature_is_altered_where_it_lies(url: str) -> None:
    found = altered(url)
    assert found != url
    assert found.startswith(url[:8])
    assert found.endswith(("x-id=Put", "AAAAAA"))
