"""8.2.3 Validate worker job processing: the queue over time (contract: Worker): order, what is left behind or done again."""

from collections.abc import Callable

import pytest

from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.queue.claimed_hash import ClaimedHash
from fixtures.queue.extra import AGED, NAMES, RETRIED
from fixtures.queue.judging import require_in_order, require_lease, require_left_alone
from fixtures.queue.parked import ParkedJobs
from fixtures.queue.recorded import RecordedSteps
from fixtures.queue.resources import ExtraRuns
from fixtures.queue.seen import Seen
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification
from spec.queue_entries import queued_documents

LastSeen = Callable[[], Seen]
WORKER_HINT = "the worker's log at Render; the row of the job against the worker's claim"
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.3"),
    pytest.mark.component("worker"),
    pytest.mark.needs("database"),
    promised("pipeline", "queue"),
]


@pytest.mark.about("queue.order", "queue upload_jobs")
def test_the_oldest_job_is_taken_first(document_runs: DocumentRuns, queue_seen: LastSeen, spec: Specification) -> None:
    """contract Worker: claims one job, oldest first within a stage, whoever its user is (F28)."""
    document_runs.ended("complete", "failed")
    require_in_order(spec, queue_seen())


@promised("resilience")
@pytest.mark.about("job.held", "queue upload_jobs")
def test_a_claim_lasts_as_long_as_agreed(document_runs: DocumentRuns, queue_seen: LastSeen, session: Session) -> None:
    """contract Resilience (Leases): a worker that claims a job has it for 60 s: one that dies holds it no longer (F28)."""
    document_runs.ended("complete", "failed")
    require_lease(session, queue_seen())


@pytest.mark.about("queue.parked", "queue upload_jobs")
def test_no_job_stands_still(database: Database) -> None:
    """contract Worker: polls and claims what is due, oldest first: no job of anybody is left behind (F28)."""
    ParkedJobs(database).require_none()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.about("queue.parked", "document {name}")
def test_each_job_of_a_user_is_taken(document_runs: DocumentRuns, extra_runs: ExtraRuns, name: str) -> None:
    """contract Worker, POST …/retry: a job that its owner retried is taken up again, and a second job of the same user."""
    document_runs.require_all_ended()
    document_runs.completed("policy")
    extra_runs.require_complete(name, WORKER_HINT)


@pytest.mark.about("queue.parked", "document aged")
def test_an_old_job_is_taken(document_runs: DocumentRuns, extra_runs: ExtraRuns) -> None:
    """contract Worker: a job that waits after days, as behind an outage, is taken like any other."""
    document_runs.require_all_ended()
    document_runs.completed("policy")
    extra_runs.require_complete(AGED, WORKER_HINT)


@each("name", queued_documents)
@pytest.mark.about("job.again", "document {name}")
def test_what_has_ended_is_left_alone(
    document_runs: DocumentRuns, queue_seen: LastSeen, spec: Specification, name: str
) -> None:
    """contract Worker: `complete` and `failed_*` are ends: nothing is tried, parsed, cut or embedded after them."""
    document_runs.queued(name)
    require_left_alone(spec, queue_seen(), name)


@each("name", queued_documents)
@pytest.mark.about("events.other", "document {name}")
def test_the_steps_of_a_document_are_recorded_alike(
    document_runs: DocumentRuns, recorded_steps: RecordedSteps, name: str
) -> None:
    """§5 Resource Monitoring: number and kinds of a job's events follow from the steps that it took."""
    document_runs.queued(name)
    recorded_steps.require_alike(name)


@pytest.mark.about("job.again", "document retried")
def test_a_retried_job_ends_once(extra_runs: ExtraRuns, queue_seen: LastSeen, spec: Specification) -> None:
    """contract Worker: a retried job that is complete is left alone like any other."""
    extra_runs.completed(RETRIED)
    require_left_alone(spec, queue_seen(), RETRIED)


@pytest.mark.about("isolation.read", "table document_chunks")
def test_a_hash_alone_is_no_key_to_a_document(policy: DocumentRun, claimed_hash: ClaimedHash, spec: Specification) -> None:
    """contract Worker: whoever registers another's hash and sends other bytes receives what those say, or a failure."""
    what, hint = "chunks of such a document that quote the other user's", "where a parse is taken over from an earlier document"
    assert policy.sha256, "the first document has a hash"
    expect(claimed_hash.of_the_first, what, hint).equals(0)
    aside = [status for status in spec.queue.put_aside if status == claimed_hash.status]
    what, subject = "status of a document whose hash another user has", f"column {spec.pipeline.jobs_table}.status"
    expect(aside, what, hint, code="job.state", subject=subject).is_empty("duplicates are per user")
