"""8.2.3 Validate worker job processing: jobs in every situation that a worker may find (contract: Worker, Resilience)."""

from collections.abc import Iterable

import pytest

from fixtures.document_runs import DocumentRuns
from fixtures.queue.results import QueueResults
from gate.selection import each, promised
from spec import Specification
from spec.queue_grid import Situation, situations

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.3"),
    pytest.mark.component("worker"),
    pytest.mark.needs("database", "api", "users"),
    promised("pipeline", "queue", "webhook"),
]


def late_polls(spec: Specification) -> Iterable[int]:
    return spec.queue.late_polls


@each("situation", situations)
@pytest.mark.about("job.resumed", "job {situation}")
def test_a_job_is_taken_up_wherever_it_was_left(queue_results: QueueResults, situation: Situation) -> None:
    """contract Worker, Resilience (Leases, Attempts): from every step a job goes on, or fails with its reason (F28)."""
    queue_results.require_taken_up(situation)


@pytest.mark.about("queue.order", "queue upload_jobs")
def test_what_happened_to_a_job_does_not_cost_it_its_place(queue_results: QueueResults) -> None:
    """contract Worker: claims one job, oldest first within a stage, also what failed before or lost its worker (F28)."""
    queue_results.require_in_order()


@pytest.mark.about("job.delay", "queue upload_jobs")
def test_each_retry_waits_as_agreed(queue_results: QueueResults) -> None:
    """contract Worker: WORKER_RETRY_BASE_DELAY · 2ⁿ seconds lie between tries, for every n."""
    queue_results.require_delays()


@pytest.mark.about("job.tries", "queue upload_jobs")
def test_a_failing_job_is_tried_as_often_as_agreed(queue_results: QueueResults) -> None:
    """§2 WORKER_MAX_RETRIES: what fails again and again is tried so often once more, and then no more (F28)."""
    queue_results.require_tries()


@pytest.mark.about("data.reason", "column upload_jobs.last_error")
def test_a_job_whose_retries_are_used_up_says_why(queue_results: QueueResults) -> None:
    """contract Worker: failed_* after WORKER_MAX_RETRIES, with the reason in last_error: that of its attempts."""
    queue_results.require_reasons()


@pytest.mark.about("job.endless", "job never sent")
def test_a_job_whose_file_is_never_sent_ends(document_runs: DocumentRuns, queue_results: QueueResults) -> None:
    """contract Worker, Signed upload URLs live 300 s: a job whose file cannot come any more fails in the end."""
    document_runs.require_all_ended()
    document_runs.completed("policy")
    queue_results.require_ended()


@each("polls", late_polls)
@pytest.mark.about("job.late", "stage uploaded")
def test_a_late_file_is_taken_up_when_it_comes(document_runs: DocumentRuns, queue_results: QueueResults, polls: int) -> None:
    """contract Worker: polls every WORKER_POLL_INTERVAL seconds, however long the file took to come."""
    document_runs.require_all_ended()
    queue_results.require_prompt(polls)
