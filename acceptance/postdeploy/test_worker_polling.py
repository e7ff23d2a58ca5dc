"""8.2.3 Validate worker job processing: waiting without spinning (contract: Worker)."""

from collections.abc import Callable

import pytest

from fixtures.api import Api
from fixtures.document_runs import DocumentRuns
from fixtures.documents import Document
from fixtures.pipeline import Pipeline
from fixtures.planted import Planted
from fixtures.polling import CALLBACK, FILE, Polling
from fixtures.uploads import Accepted
from fixtures.users import User
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import promised
from spec import Specification

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.3"),
    pytest.mark.component("worker"),
    pytest.mark.needs("database"),
    promised("pipeline"),
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


@pytest.mark.needs("api")
@pytest.mark.about("pipeline.starved", "queue upload_jobs")
def test_a_job_without_its_file_does_not_hold_up_the_next(
    api: Api,
    document_runs: DocumentRuns,
    planted: Planted,
    another_user: User,
    new_document: Callable[[], Document],
    pipeline: Pipeline,
) -> None:
    """contract Worker: while one job waits for its file, the worker serves the jobs behind it (F28)."""
    document_runs.require_all_ended()
    assert planted.job_id, "an older job waits for its file"
    document, caller = new_document(), api.as_(another_user)
    accepted = Accepted(caller.request_upload(document))
    expect(api.send(api.absolute(accepted.signed_url), document.body)).success()
    seconds = pipeline.seconds_until_claimed(accepted.job_id)
    if seconds > pipeline.claim_limit and pipeline.others_at_work():
        not_applicable("the worker has other people's jobs to do")
    hint = "the worker's log: one job id, repeated without pause?"
    expect(seconds, "seconds until the worker took a job behind a waiting one", hint).is_at_most(pipeline.claim_limit)
