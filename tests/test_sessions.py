"""Two sessions in one process, on two targets, share nothing; when one is closed the other goes on working."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import allure
import pytest

from fixtures.api import Api
from fixtures.database import Database
from fixtures.system import Staging
from gate.failures import Blocked
from gate.http import Service
from gate.journal import read_all
from gate.run import Run, new_run_id
from gate.session import Session
from gate.silence import Silence
from proof.targets import operator_of, running, spec_of
from spec import DEFAULT
from tests.servers import answering

CLINIC = spec_of("clinic")
KEY = "a-secret-of-the-first"
Pair = tuple[Session, Session]


async def answer() -> str:
    """Work for a portal."""
    await asyncio.sleep(0)
    return threading.current_thread().name


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """The Navigator on a server that answers, and the Clinic Directory on a dead address."""
    with ExitStack() as stack:
        url = stack.enter_context(answering(lambda method, path, body: (200, {"path": path})))
        sessions = []
        for name, spec_file, address in (("first", DEFAULT, url), ("second", CLINIC, "http://127.0.0.1:9")):
            session = Session(
                Run(new_run_id(), "live", tmp_path / name, {"API_BASE_URL": address}, spec_file=spec_file), Staging()
            )
            stack.callback(session.close)
            sessions.append(session)
        yield sessions[0], sessions[1]


def test_each_has_its_own_specification_and_settings(pair: Pair) -> None:
    first, second = pair
    assert first.spec.meta.name != second.spec.meta.name
    assert first.spec.has("pipeline")
    assert not second.spec.has("pipeline")
    assert first.api_url != second.api_url
    assert (first.tag, first.shared.path) != (second.tag, second.shared.path)


def test_a_secret_that_one_learnt_is_not_masked_in_the_other(pair: Pair) -> None:
    first, second = pair
    first.masking.learn("THE_KEY", KEY)
    assert first.masking.mask(f"it is {KEY}") == "it is [THE_KEY]"
    assert second.masking.mask(f"it is {KEY}") == f"it is {KEY}"


def test_logs_are_as_they_were_when_one_is_closed(pair: Pair) -> None:
    usual = logging.getLogRecordFactory()
    first, _ = pair
    first.at_close(first.masking.mask_logs())
    assert logging.getLogRecordFactory() is not usual
    first.close()
    assert logging.getLogRecordFactory() is usual


def test_what_one_uses_is_not_counted_in_the_other(pair: Pair) -> None:
    first, second = pair
    first.budget.spend(requests=3, tokens=5)
    assert (first.budget.used().requests, second.budget.used().requests) == (3, 0)
    with pytest.raises(Blocked):
        first.budget.spend(tokens=int(first.budget.limits.tokens))
    second.budget.spend(requests=1)
    assert second.prerequisites.unavailable("budget") is None


def test_a_prerequisite_is_unavailable_in_one_alone(pair: Pair) -> None:
    first, second = pair
    for session in pair:
        session.prerequisites.probe_all()
    assert first.prerequisites.unavailable("api") is None
    assert second.prerequisites.unavailable("api")
    with pytest.raises(Blocked):
        second.prerequisites.require("api")
    first.prerequisites.require("api")


def test_a_part_that_was_silent_to_one_is_waited_for_by_the_other(pair: Pair) -> None:
    first, second = pair
    for _ in range(first.spec.safety.patience):
        first.silence.note("api")
    assert first.silence.patience("api", 99) < second.silence.patience("api", 99) == 99


def test_an_endpoint_that_no_process_had_an_answer_of_is_spared_until_one_has(pair: Pair) -> None:
    rule, shared = pair[0].spec.safety, pair[0].shared
    silent, other = Silence(rule, shared), Silence(rule, shared)
    for _ in range(rule.patience):
        assert other.reason_to_spare("endpoint GET /me") is None
        silent.note("api", "endpoint GET /me")
    assert other.reason_to_spare("endpoint GET /me")
    assert other.reason_to_spare("endpoint GET /") is None
    later = Silence(rule.model_copy(update={"spared_seconds": 0}), shared)
    assert later.reason_to_spare("endpoint GET /me") is None
    for name in range(rule.patience - 1):
        silent.note("api", "endpoint GET /other")
        assert other.reason_to_spare("endpoint GET /other") is None
        for _ in range(rule.patience):
            silent.note("api", f"endpoint GET /{name}")
    assert other.reason_to_spare("endpoint GET /other"), "so many are silent that one request is enough"
    other.broken("endpoint GET /me")
    assert silent.reason_to_spare("endpoint GET /me") is None


def test_what_one_creates_is_in_its_own_journal(pair: Pair) -> None:
    first, second = pair
    first.journal.require_means = lambda kind: None
    first.journal.record("user", email="a@example.org")
    assert [entry["email"] for entry in read_all(first.run.folder)] == ["a@example.org"]
    assert read_all(second.run.folder) == []


def test_evidence_of_one_is_not_the_others(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []
    monkeypatch.setattr(allure, "attach", lambda body, **more: kept.append(body))
    first, second = pair
    first.masking.learn("THE_KEY", KEY)
    with first.evidence.of("check of the first"):
        first.evidence.attach("seen", KEY)
        second.evidence.attach("seen", "of no check")
    assert kept == ["[THE_KEY]"]


def test_closing_one_leaves_the_other_working(pair: Pair) -> None:
    first, second = pair
    service = Service(first, first.api_url, "api")
    assert service.get("/before").status == 200
    assert first.transport is not second.transport
    assert first.portal.wait_for(answer(), 5) != second.portal.wait_for(answer(), 5)
    second.close()
    assert service.get("/after").object() == {"path": "/after"}
    assert first.portal.wait_for(answer(), 5)


@pytest.fixture
def targets() -> Iterator[Pair]:
    """Sessions of operators on the twins of two systems."""
    with ExitStack() as stack:
        navigator = stack.enter_context(running())
        clinic = stack.enter_context(running(system="clinic"))
        first = stack.enter_context(operator_of(navigator))
        yield first, stack.enter_context(operator_of(clinic, CLINIC))


def test_two_twins_are_worked_on_at_the_same_time(targets: Pair) -> None:
    first, second = targets
    databases = [Database(session) for session in targets]
    for session in targets:
        session.verify(writes=True)
        assert not session.prerequisites.target_is_unavailable()
        assert Api(session).call("health").status == 200
    assert [database.value("SELECT current_schema()") for database in databases] == [
        session.spec.database.schema_name for session in targets
    ]
    second.close()
    assert Api(first).call("health").status == 200
    assert databases[0].value("SELECT 1") == 1
