"""8.2.3 Validate worker job processing: waiting without spinning (contract: Worker)."""

import pytest

from fixtures.planted import Planted
from fixtures.polling import Polling
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
@pytest.mark.parametrize("waits_for", ["callback", "file"])
def test_a_job_that_waits_is_not_polled_without_pause(
    polling: Polling, planted: Planted, spec: Specification, waits_for: str
) -> None:
    """contract Worker: while a job waits for its webhook, or its file, the worker sleeps and serves others (F28)."""
    if waits_for == "callback":
        planted.park()
    share = polling.busy_share(planted.job_id)
    hint = "the worker's log: lines a second; WORKER_POLL_INTERVAL"
    expect(share, "share of moments in which the worker asked for jobs again", hint, facts={"busy_share": share}).is_at_most(
        spec.pipeline.busiest_polling
    )
