"""What an answer violates is told apart by its status and its fields, and never by its text."""

import socket
import ssl
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fixtures.accounts import expect_own_account
from fixtures.api import expect_jobs
from fixtures.clock import TimeField
from fixtures.handshake import Problem
from fixtures.users import User
from fixtures.violations import DAILY_LIMIT, of_an_origin, of_anothers_job, within, without_right_token
from gate.failures import Failure
from gate.http import Reply
from spec import load

SPEC = load()
OWNER = User("1", "owner@example.test", "owner", "", "")


def reply(name: str, status: int, body: bytes = b"{}") -> Reply:
    """An answer of an endpoint of the specification."""
    rule = SPEC.endpoint(name)
    url = f"https://api.example.test{rule.path}"
    return Reply(rule.method, url, status, httpx.Headers(), body, 0.1, "api", rule, with_token=True)


@pytest.mark.parametrize(
    ("status", "code", "subject"),
    [
        (413, "limit.strict", "limit max_file_size_bytes"),
        (429, "limit.strict", "limit max_uploads_per_day_per_user"),
        (401, "auth.refused", "endpoint POST /api/upload-pipeline/upload"),
        (500, "http.server_error", "endpoint POST /api/upload-pipeline/upload"),
    ],
)
def test_a_limit_that_is_too_strict_is_told_from_other_refusals(status: int, code: str, subject: str) -> None:
    with pytest.raises(Failure) as failed:
        within(reply("upload", status), DAILY_LIMIT)
    assert (failed.value.code, failed.value.subject, failed.value.observed["status"]) == (code, subject, status)


@pytest.mark.parametrize(("status", "code"), [(200, "http.accepted"), (422, "endpoint.open"), (500, "http.unhandled")])
def test_a_judged_body_shows_an_open_endpoint(status: int, code: str) -> None:
    with pytest.raises(Failure) as failed:
        without_right_token(reply("upload", status), SPEC, "endpoint.open").error("unauthorized")
    assert failed.value.code == code


@pytest.mark.parametrize(("status", "code"), [(200, "http.accepted"), (409, "isolation.read"), (403, "http.status")])
def test_the_state_of_anothers_job_is_data(status: int, code: str) -> None:
    with pytest.raises(Failure) as failed:
        of_anothers_job(reply("retry", status)).error("unknown")
    assert failed.value.code == code


def test_every_origin_is_told_from_a_missing_one() -> None:
    assert of_an_origin("*", "https://front.example.test") == ("cors.open", "origin *")
    assert of_an_origin(None, "https://front.example.test")[0] == "cors.missing"


@pytest.mark.parametrize(("found", "code"), [(["mine", "other"], "isolation.read"), ([], "http.value")])
def test_foreign_jobs_are_told_from_missing_ones(found: list[str], code: str) -> None:
    body = str([{"job_id": job} for job in found]).replace("'", '"').encode()
    with pytest.raises(Failure) as failed:
        expect_jobs(reply("jobs", 200, body), "jobs", ["mine"], own=["mine"])
    assert failed.value.code == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"id": "2", "email": "other@example.test"}', "isolation.read"),
        (b'{"id": "2", "email": "owner@example.test"}', "http.value"),
        (b'{"id": null, "email": null}', "http.value"),
    ],
)
def test_anothers_account_is_told_from_a_wrong_field(body: bytes, code: str) -> None:
    with pytest.raises(Failure) as failed:
        expect_own_account(reply("me", 200, body), OWNER)
    assert failed.value.code == code


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_future_time_is_told_from_a_past_one(hours: int) -> None:
    text = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
    found = TimeField(reply("chat", 200, f'{{"timestamp": "{text}"}}'.encode()), "timestamp")
    assert found.subject == "field timestamp of POST /api/chat"
    assert round(found.facts["seconds"] / 3600) == hours


def test_what_is_no_time_is_a_wrong_value() -> None:
    with pytest.raises(Failure) as failed:
        TimeField(reply("chat", 200, b'{"timestamp": "noon"}'), "timestamp")
    assert (failed.value.code, failed.value.subject) == ("http.value", "field timestamp of POST /api/chat")


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (TimeoutError(), "http.no_answer", "timeout"),
        (socket.gaierror(), "http.unreachable", "unknown host"),
        (ConnectionRefusedError(), "http.unreachable", "connection refused"),
        (ConnectionResetError(), "http.reset", "connection broken"),
        (ssl.SSLError(), "tls.protocol", "handshake"),
    ],
)
def test_a_failed_handshake_is_differences_its_error(error: OSError, code: str, kind: str) -> None:
    found = Problem.of(error)
    assert (found.code, found.error) == (code, kind)


@pytest.mark.parametrize(("verify_code", "kind"), [(10, "expired"), (62, "wrong host"), (20, "unknown authority")])
def test_a_refused_certificate_is_differences_its_code(verify_code: int, kind: str) -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = verify_code, ""
    assert Problem.of(error).error == kind
