"""How documents that did not end as they must read as failures: by outcomes, stages, states and counts, never by texts."""

from typing import Any

import pytest

from fixtures.answers import Answer
from fixtures.document_run import OFTEN, DocumentRun
from fixtures.health import shows_working
from gate.failures import Failure
from gate.messages import fact
from spec import load
from tests.test_logic import reply

SPEC = load()
RULE = SPEC.pipeline
UPLOADED, WAITS = ("uploaded", "queued", 0.0), ("parse_queued", "working", 1.0)
HELD = ("uploaded", "working", 0.0)


@pytest.mark.parametrize(
    ("known", "code", "subject"),
    [
        ({"outcome": "unfinished", "stages": [UPLOADED]}, "pipeline.idle", "queue upload_jobs"),
        ({"outcome": "unfinished", "stages": [UPLOADED], "retry_count": 1}, "pipeline.stuck", "stage uploaded"),
        ({"outcome": "unfinished", "stages": [UPLOADED, WAITS]}, "pipeline.callback", "stage parse_queued"),
        ({"outcome": "unfinished", "stages": [("parse_queued", "queued", 0.0)]}, "pipeline.callback", "stage parse_queued"),
        ({"outcome": "unfinished", "stages": [("parsed", "queued", 0.0)]}, "pipeline.stuck", "stage parsed"),
        ({"outcome": "unfinished"}, "data.wrong", "table upload_jobs"),
        ({"outcome": "unfinished", "stages": [HELD], "is_as_made": True}, "queue.unheld", "column upload_jobs.state"),
        ({"outcome": "unfinished", "stages": [HELD]}, "pipeline.stuck", "stage uploaded"),
        ({"outcome": "unfinished", "stages": [UPLOADED], "is_as_made": True}, "pipeline.idle", "queue upload_jobs"),
        ({"outcome": "failed", "stages": [UPLOADED, ("failed_parse", "deadletter", 2.0)]}, "pipeline.failed", "stage uploaded"),
        ({"outcome": "failed", "stages": [("failed_parse", "deadletter", 2.0)]}, "pipeline.failed", "stage uploaded"),
        ({"outcome": "complete"}, "data.wrong", "column upload_jobs.status"),
    ],
)
def test_an_end_has_its_code(known: dict[str, Any], code: str, subject: str) -> None:
    misleading = {"reason": "HTTP 503 from LlamaParse"}
    assert DocumentRun("x", last_error=misleading, **known).end(RULE)[:2] == (code, subject)


def test_a_refused_upload_names_the_endpoint_that_refused_it() -> None:
    refused = DocumentRun("x")
    exchange = reply(b"no", status=503).exchange
    refused.refuse("pipeline.refused", "endpoint POST /upload", "api", exchange)
    failure = refused.failure(RULE, "complete", "")
    assert (failure.code, failure.subject, failure.observed["status"]) == ("pipeline.refused", "endpoint POST /upload", 503)
    assert failure.exchange == exchange
    assert not refused.was_rightly_refused


def test_time_and_changes_in_a_stage_are_counted() -> None:
    run = DocumentRun("x", stages=[UPLOADED, WAITS, ("parse_queued", "queued", 3.0), ("parsed", "queued", 5.0)], seconds=9.0)
    assert (run.seconds_in("parse_queued"), run.seconds_in("parsed"), run.seconds_in("complete")) == (4.0, 4.0, 0.0)
    assert not DocumentRun("x", "unfinished", stages=[UPLOADED], repeats={"uploaded": OFTEN}).is_poisoned()
    assert DocumentRun("x", "unfinished", stages=[UPLOADED], repeats={"uploaded": OFTEN + 1}).is_poisoned()


@pytest.mark.parametrize(
    ("state", "works"),
    [
        ("connected", True),
        ("OK (5 of 20 in use)", True),
        ("not connected", False),
        ("error: could not get connected", False),
        ({"healthy": False, "status": "ok"}, False),
        ({"status": "healthy"}, True),
        (None, False),
    ],
)
def test_a_dependency_works_by_its_first_word(state: object, works: bool) -> None:
    assert shows_working(state, SPEC.health) is works


def _failure(answer: bytes) -> Failure:
    with pytest.raises(Failure) as caught:
        Answer(reply(answer)).require_mention("$10", "own", SPEC.chat)
    return caught.value


@pytest.mark.parametrize(
    ("answer", "code", "component"),
    [
        (b'{"text": "no", "metadata": {"error_type": "OpenAIError"}}', "chat.failed", "openai"),
        (b'{"text": "openai returned 500", "metadata": {"error_type": "ValueError"}}', "chat.failed", "chat"),
        (b'{"text": "I apologize.", "sources": ["system"]}', "chat.failed", "chat"),
        (b'{"text": "500 dollars", "sources": []}', "retrieval.empty", "rag"),
        (b'{"text": "ask us", "sources": [{"document_id": "own"}]}', "chat.ungrounded", "chat"),
        (b'{"text": "ask us", "sources": [{"document_id": "other"}]}', "retrieval.foreign", "rag"),
        (b'{"text": "ask us", "sources": ["a source without a name"]}', "chat.ungrounded", "chat"),
    ],
)
def test_an_answer_without_the_fact_says_why(answer: bytes, code: str, component: str) -> None:
    failure = _failure(answer)
    assert (failure.code, failure.component) == (code, component)


def test_a_title_shows_the_value_or_the_share_and_no_fact_of_the_diagnosis() -> None:
    assert fact({"value": 40.0, "seconds": 40.0}) == "40"
    assert fact({"outcome": "unfinished", "waiting": 3, "of": 8, "detail": "long"}) == "3 of 8"
    assert fact({"value": False, "database": "disconnected"}) == "disconnected database"
