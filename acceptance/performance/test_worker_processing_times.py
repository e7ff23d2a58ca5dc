"""8.3.2 Test worker job processing times (contract: Response-time targets; §5 Job Processing)."""

import pytest

from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.measure import Measure, Samples
from fixtures.pipeline import Pipeline, document_seconds, poll_seconds
from fixtures.timing import ALONE, Timed, send_alone
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import entries

pytestmark = [
    pytest.mark.performance,
    pytest.mark.checklist("8.3.2"),
    pytest.mark.component("worker"),
    pytest.mark.needs("api", "database"),
    pytest.mark.about("target.slow"),
    promised("pipeline"),
]


@pytest.fixture(scope="module")
def alone(session: Session) -> list[Timed]:
    """One-page documents, one after another, on an otherwise idle worker."""
    return send_alone(session, session.spec.sampling.documents)


def test_each_document_completes(alone: list[Timed]) -> None:
    """contract Worker: the measured documents become searchable at all."""
    ended = [t for t in alone if t.outcome != "complete"]
    last = ended[-1] if ended else None
    expect(
        [t.outcome for t in ended],
        "documents that did not complete",
        seen=last.document_run.describe() if last else "",
        code="pipeline.failed" if last and last.outcome == "failed" else "pipeline.stuck",
        subject=f"stage {last.last_stage}" if last else "",
        facts={"failed": len(ended), "of": len(alone)},
    ).is_empty()


def test_a_one_page_document_holds_its_target(alone: list[Timed], measure: Measure, session: Session) -> None:
    """contract Response-time targets: upload to searchable, plus the poll intervals it waits for (F30)."""
    waited = session.spec.pipeline.poll_intervals_waited * poll_seconds(session)
    samples = Samples("one-page document, polls included", [t.seconds * 1000 for t in alone])
    measure.hold(samples, "document", "worker", allowance_ms=waited * 1000)


@pytest.mark.about("stage.slow")
def test_the_worker_takes_a_job_at_its_next_poll(alone: list[Timed], session: Session) -> None:
    """§2 WORKER_POLL_INTERVAL: a job is taken at the next poll, not at the one after the next."""
    slowest = max(t.claimed_after for t in alone)
    limit = session.spec.pipeline.claim_poll_intervals * poll_seconds(session) + session.spec.sampling.claim_grace_seconds
    what, hint = "seconds until the slowest document was taken", "the worker's WORKER_POLL_INTERVAL"
    expect(slowest, what, hint, subject=f"stage {session.spec.pipeline.stages[0]}").is_at_most(limit)


@pytest.mark.component("llamaparse")
def test_parsing_is_within_its_share(alone: list[Timed], measure: Measure, session: Session) -> None:
    """contract Response-time targets: parsing takes less than the whole document may (F30)."""
    stage = session.spec.pipeline.parsed_stage
    measure.hold(Samples("parsing", [t.until(stage) * 1000 for t in alone]), "parsing", "llamaparse")


@each("status", entries.later_stages)
@pytest.mark.about("stage.slow", "stage {status}")
def test_no_stage_takes_longer_than_the_document_may(alone: list[Timed], session: Session, status: str) -> None:
    """§5 Job Processing: time in each stage."""
    allowed = (
        session.spec.targets["document"].max_ms or 0
    ) / 1000 + session.spec.pipeline.poll_intervals_waited * poll_seconds(session)
    expect(max(t.until(status) for t in alone), f"seconds until {status}").is_at_most(allowed)


@pytest.mark.about("target.slow", "target policy among other documents")
def test_the_policy_holds_the_target_among_others(policy: DocumentRun, session: Session) -> None:
    """contract Response-time targets: several pages, beside other documents, before the run gives up."""
    expect(policy.seconds, "seconds of the policy", "the worker's log", policy.describe()).is_at_most(document_seconds(session))


@pytest.mark.about("pipeline.retried", ALONE)
def test_no_retry_was_needed(alone: list[Timed]) -> None:
    """§2 WORKER_MAX_RETRIES: a retry costs time and hides a fault."""
    expect([t.retries for t in alone if t.retries], "retries of measured documents").is_empty()


@pytest.mark.about("pipeline.stuck")
def test_the_queue_drains(document_runs: DocumentRuns, alone: list[Timed], pipeline: Pipeline, session: Session) -> None:
    """§5 Job Processing: no job of this run is left waiting."""
    document_runs.completed("policy")
    waiting = pipeline.waiting_jobs([t.job_id for t in alone])
    expect(
        waiting,
        f"jobs of {len(alone)} measured documents that still wait",
        subject=f"queue {session.spec.pipeline.tables.jobs}",
        facts={"failed": len(waiting), "of": len(alone)},
    ).is_empty()
