"""8.3.1 Measure API response times: pauses, many questions, uploads, requests (§5 Resource Monitoring; §1 start_command)."""

from collections.abc import Callable, Iterator

import pytest

from fixtures.after_pauses import AfterPauses
from fixtures.api import Api
from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.documents import Document
from fixtures.endurance import MEGABYTE, Growth, PlatformMemory, Registrations, after_batches, connections_of_others
from fixtures.first_work import FirstWork
from fixtures.pipeline import Pipeline
from fixtures.render import Render
from fixtures.request_limit import AcrossTheLimit
from fixtures.users import User, Users
from gate.http import expect
from gate.selection import promised
from gate.session import Session
from spec import Specification

pytestmark = [
    pytest.mark.performance,
    pytest.mark.checklist("8.3.1"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    promised("endurance"),
]


@pytest.fixture(scope="module")
def after_pauses(session: Session, api: Api, user: User, users: Users, document_runs: DocumentRuns) -> AfterPauses:
    """A target that was left alone, asked again, and given work."""
    policy = document_runs.state("policy")
    asked = policy if policy is not None and policy.outcome == "complete" else None
    return AfterPauses(session, api.as_(user), FirstWork(session, api, users, asked)).watch()


@pytest.fixture
def registrations(session: Session, pipeline: Pipeline) -> Iterator[Registrations]:
    """Documents that are registered and never sent."""
    found = Registrations(session, pipeline)
    yield found
    found.finish()


@pytest.mark.about("load.errors", "target first request after a pause")
def test_the_first_request_after_a_pause_succeeds(after_pauses: AfterPauses) -> None:
    """contract Response-time targets: nothing that was dropped in a pause makes the next request fail (error rate 0)."""
    after_pauses.require_right()


@pytest.mark.about("target.slow", "target first request after a pause")
def test_the_first_request_after_a_pause_is_quick(after_pauses: AfterPauses) -> None:
    """contract Response-time targets: nothing that was dropped in a pause makes the next request wait."""
    after_pauses.require_quick()


@promised("pipeline", "chat")
@pytest.mark.component("chat")
@pytest.mark.about("chat.failed", "endpoint POST /api/chat")
def test_the_first_questions_after_a_pause_are_answered(after_pauses: AfterPauses) -> None:
    """contract Response-time targets: several users ask at once after a pause, and nobody gets an apology (error rate 0)."""
    after_pauses.work.require_answers()


@promised("pipeline")
@pytest.mark.about("load.errors", "target first request after a pause")
def test_the_first_uploads_after_a_pause_are_accepted(after_pauses: AfterPauses) -> None:
    """contract Response-time targets: several users register documents at once after a pause (error rate 0)."""
    after_pauses.work.require_registrations()


@promised("pipeline")
@pytest.mark.component("worker")
@pytest.mark.needs("database")
@pytest.mark.about("stage.slow")
def test_a_rested_worker_takes_a_job_at_its_next_poll(after_pauses: AfterPauses) -> None:
    """§2 WORKER_POLL_INTERVAL: a worker that had nothing to do for a while still polls once in its interval (F26)."""
    after_pauses.work.require_taken()


@promised("pipeline", "chat", "platform", "figures")
@pytest.mark.about("memory.kept", "service api")
def test_questions_leave_no_memory_behind(
    session: Session, api: Api, policy: DocumentRun, render: Render, spec: Specification
) -> None:
    """§5 Resource Monitoring: memory settles, however many questions are asked."""
    caller, question = api.as_(policy.owner).silent(), policy.facts[0][0]
    rule = spec.endurance.memory_of_questions
    growth = Growth(session, rule, PlatformMemory(render, spec.service).now)
    kept = growth.per_piece(lambda number: expect(caller.ask(f"{question} ({number})")).success())
    what = f"bytes that one of {rule.each * (rule.batches + 1)} questions left in memory"
    expect(kept, what, "what the API keeps of a conversation", facts=after_batches(growth.values, MEGABYTE)).is_at_most(
        rule.at_most
    )


@promised("pipeline", "database", "platform", "figures")
@pytest.mark.needs("database")
@pytest.mark.about("memory.kept", "service api")
def test_uploads_leave_no_memory_behind(
    session: Session, registrations: Registrations, render: Render, spec: Specification
) -> None:
    """§5 Resource Monitoring: memory settles, however many users upload."""
    rule = spec.endurance.memory_of_uploads
    growth = Growth(session, rule, PlatformMemory(render, spec.service).now)
    kept = growth.per_piece(lambda _: registrations.add().finish())
    what = f"bytes that one of {rule.each * (rule.batches + 1)} uploads left in memory"
    expect(
        kept, what, "what the API keeps of a session or a document", facts=after_batches(growth.values, MEGABYTE)
    ).is_at_most(rule.at_most)


@promised("pipeline", "database")
@pytest.mark.needs("database")
@pytest.mark.about("db.kept", "connections of users")
def test_uploads_and_questions_leave_no_connections_open(
    session: Session, registrations: Registrations, database: Database, policy: DocumentRun, spec: Specification
) -> None:
    """§5 Database Connections: what users send and ask shares the connections of a pool, and holds none afterwards."""
    rule = spec.endurance.connections_of_users
    growth = Growth(session, rule, lambda: connections_of_others(database))
    kept = growth.per_piece(lambda _: registrations.add(policy.facts[0][0]))
    what, hint = (
        "connections to the database that one user's upload and question left open",
        "where a handler opens a connection",
    )
    expect(kept, what, hint, facts=after_batches(growth.values)).is_at_most(rule.at_most)


@promised("pipeline", "database", "figures")
@pytest.mark.needs("database")
@pytest.mark.about("restart.lost")
def test_the_limit_of_requests_loses_no_work(
    session: Session, users: Users, new_document: Callable[[], Document], pipeline: Pipeline
) -> None:
    """§1 start_command (--limit-max-requests): what was acknowledged before the API ends is there when it is back."""
    across = AcrossTheLimit(session, users, new_document, pipeline)
    try:
        across.run().require_all_kept()
    finally:
        across.finish()
