"""What generated requests, parallel requests and refused connections are as failures: typed, and the worst first."""

import httpx
import pytest

from fixtures.connections import code_of_refusals
from fixtures.fuzzed import Fuzzed
from fixtures.measure import expect_all_succeed
from fixtures.refusals import Refusal
from gate.failures import Failure
from gate.http import Reply
from gate.messages import fact
from spec import load

SUBJECT = "endpoint GET /api/upload-pipeline/jobs/{job_id}"


def a_reply(status: int) -> Reply:
    url = "https://api.example/api/upload-pipeline/jobs/0"
    return Reply("GET", url, status, httpx.Headers({"content-type": "text/html"}), b"broken", 0.1, "api")


def test_the_worst_of_several_kinds_is_raised_and_names_the_others() -> None:
    fuzzed = Fuzzed(SUBJECT)
    fuzzed.difference("response violates schema", "no list", a_reply(200), "")
    fuzzed.server_error(a_reply(500), "")
    fuzzed.server_error(a_reply(503), "")
    fuzzed.secrets(["DATABASE_URL"], a_reply(200), "")
    with pytest.raises(Failure) as caught:
        fuzzed.hold()
    failure = caught.value
    assert (failure.code, failure.subject) == ("secret.shown", SUBJECT)
    assert failure.observed == {"value": ["DATABASE_URL"], "also": ["http.server_error", "response violates schema"]}
    assert fuzzed.failures["http.server_error"].observed["status"] == 500


def test_a_request_without_an_answer_keeps_its_code_and_takes_the_operation_s_name() -> None:
    fuzzed = Fuzzed(SUBJECT)
    fuzzed.no_answer(Failure("http.no_answer", "endpoint GET /x/0", expected=10, relation="within"), "")
    with pytest.raises(Failure) as caught:
        fuzzed.hold()
    assert (caught.value.code, caught.value.subject) == ("http.no_answer", SUBJECT)


def test_nothing_found_is_no_failure() -> None:
    Fuzzed(SUBJECT).hold()


def test_parallel_requests_count_what_failed_and_how() -> None:
    me = load().endpoint("me")
    expect_all_succeed([200, 200], me)
    with pytest.raises(Failure) as caught:
        expect_all_succeed([200, 500, 0, 500], me)
    failure = caught.value
    assert (failure.code, failure.subject) == ("load.errors", "endpoint GET /me")
    assert fact(failure.observed) == "3 of 4: no answer, 500"


@pytest.mark.parametrize(
    ("sqlstate", "refused", "code"),
    [("53300", 2, "db.exhausted"), ("", 1, "db.exhausted"), ("", 2, "db.unreachable"), ("28P01", 2, "db.refused")],
)
def test_refused_connections_are_differences_their_sqlstate(sqlstate: str, refused: int, code: str) -> None:
    assert code_of_refusals([Refusal("SomeError", sqlstate, "")] * refused, 2) == code
