"""8.2.3 Validate worker job processing: waiting without spinning (contract: Worker)."""

import pytest

from fixtures.document_runs import DocumentRuns
from fixtures.pipeline import Pipeline
from fixtures.polling import CALLBACK, FILE, Polling
from fixtures.queue.held_up import HeldUp
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import promised
from spec import Specification

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.3"),
    pytest.mark.component("worker"),
    pytest.mark.needs("database"),
    promised("pipeline", "queue"),
]


@pytest.mark.needs("api")
@pytest.mark.about("pipeline.spinning", "queue upload_jobs")
@pytest.mark.parametrize("waits_for", [CALLBACK, FILE])
def test_a_job_that_waits_is_not_polled_without_pause(polling: Polling, spec: Specification, waits_for: str) -> None:
    """contract Worker: while a job waits for its webhook, or its file, the worker sleeps and serves others (F28)."""
    share = polling.busy_share(waits_for)
    hint = "the worker's log: lines a second; WORKER_POLL_INTERVAL"
    expect(share, "share of moments in which the worker asked for jobs again", hint, facts={"busy_share": share}).is_at_most(
        spec.pipeline.busiest_polling
    )


@pytest.mark.needs("api", "users")
@pytest.mark.about("pipeline.starved", "queue upload_jobs")
def test_a_job_that_waits_does_not_hold_up_the_next(document_runs: DocumentRuns, held_up: HeldUp, pipeline: Pipeline) -> None:
    """contract Worker: while one job waits, or another worker holds it, those of anybody behind it are served (F28)."""
    document_runs.require_all_ended()
    if held_up.seconds > pipeline.claim_limit and held_up.others:
        not_applicable("the worker has other people's jobs to do")
    hint = "the worker's log: one job id, repeated without pause? Its claim: SKIP LOCKED"
    expect(held_up.seconds, "seconds until the worker took a job behind a waiting one", hint).is_at_most(pipeline.claim_limit)
