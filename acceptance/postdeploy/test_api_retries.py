"""8.2.2 Test API endpoints functionality: retries of jobs that have failed, and of others (contract: POST …/retry)."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fixtures.api import Api
from fixtures.documents import Document
from fixtures.job_shown import STATE, failed_fields, field_of
from fixtures.pipeline import Pipeline
from fixtures.planted import Planted
from fixtures.queue.resources import most_retries
from fixtures.uploads import Accepted
from fixtures.users import User
from fixtures.violations import of_anothers_job
from gate.http import Reply, expect
from gate.selection import promised
from gate.session import Session
from spec import Specification
from spec.queue_entries import failures_of

NewDocument = Callable[[], Document]
Row = Mapping[str, Any]
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    pytest.mark.about("http.value"),
    promised("pipeline"),
]


def was_touched(before: Row, after: Row) -> bool:
    """Whether a row was changed in between; a time in whole seconds says nothing of the order within one."""
    return bool(before["updated_at"] != after["updated_at"] or not after["updated_at"].microsecond)


def expect_begun(after: Row, retried: Reply, pipeline: Pipeline, before: Row | None = None) -> None:
    """Expects that a failed job was begun again by a retry that was accepted.

    A job that cannot succeed may have failed once more: then its row has changed since `before`.
    """
    __tracebackhide__ = True
    is_left = after["state"] == pipeline.states.dead and (before is None or not was_touched(before, after))
    left, what = [after["state"]] if is_left else [], "state of a failed job that stays after its retry was accepted"
    expect(left, what, code="job.unretried", subject=retried.subject, of=retried).is_empty("its owner waits for it")


def expect_not_failed(retried: Reply, spec: Specification) -> None:
    """Expects that the answer to an accepted retry shows no failed job."""
    __tracebackhide__ = True
    for name, value in failed_fields(retried, spec.pipeline).items():
        what, subject = f"{name} of a job in the answer to its retry", field_of(name, retried)
        expect(value, what, subject=subject, of=retried).differs_from(value, "it waits for a worker again")


def expect_unqueued(pipeline: Pipeline, planted: Planted, refused: Reply) -> None:
    """Expects that a job does not wait for a worker after a retry that was refused."""
    __tracebackhide__ = True
    state, waiting = pipeline.existing_job(planted.job_id)["state"], pipeline.states.waiting
    what = "state of a job whose retry was refused"
    expect(state, what, code="http.value", subject=field_of(STATE, refused), of=refused).differs_from(
        waiting, "nothing was to be done"
    )


def test_a_running_job_cannot_be_retried(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract POST …/retry: 409 for a job that cannot be retried."""
    job_id = Accepted(api.as_(new_user).request_upload(new_document())).job_id
    expect(api.as_(new_user).call("retry", at={"job_id": job_id})).error("not_retryable")


def test_a_finished_job_cannot_be_retried(api: Api, planted: Planted, pipeline: Pipeline) -> None:
    """contract POST …/retry: 409 for a job that is done."""
    pipeline.finish_job(planted.job_id)
    refused = expect(api.as_(planted.owner).call("retry", at={"job_id": planted.job_id})).error("not_retryable")
    expect_unqueued(pipeline, planted, refused)


def test_a_job_at_work_cannot_be_retried(api: Api, planted: Planted, pipeline: Pipeline, spec: Specification) -> None:
    """contract POST …/retry: 409 for a job that is at work, or waits for its callback or another attempt; it stays there."""
    rule, states = spec.pipeline, spec.pipeline.states
    awaits = rule.callback_stage
    for stage, state in ((awaits, states.working), (rule.stages[-2], states.working), (awaits, states.retryable)):
        planted.stand(stage, state, None)
        reply = api.as_(planted.owner).call("retry", at={"job_id": planted.job_id})
        expect(reply).error("not_retryable", because=f"it is {stage}, {state}, and has not failed")
        expect_unqueued(pipeline, planted, reply)
    planted.settle()


def test_a_job_can_be_retried_wherever_it_failed(api: Api, planted: Planted, pipeline: Pipeline, spec: Specification) -> None:
    """contract POST …/retry: 200 for the owner of a failed job, whichever of its steps failed, and however long ago."""
    rule = spec.pipeline
    planted.park()
    planted.grow_old()
    for status in failures_of(spec):
        planted.stand(status, rule.failed_state, None)
        before = pipeline.existing_job(planted.job_id)
        reply = api.as_(planted.owner).call("retry", at={"job_id": planted.job_id})
        after = pipeline.existing_job(planted.job_id)
        pipeline.bury_job(planted.job_id)
        expect_begun(after, expect(reply).success(f"its status is {status}"), pipeline, before)
        begins = after["status"]
        skipped = [begins] if begins in rule.stages_behind(status) else []
        what, column = f"stages behind the one that ended in {status}, at which its retry begins", f"{rule.jobs_table}.status"
        expect(skipped, what, code="job.order", subject=f"column {column}", of=reply).is_empty("what has failed is not done")
        stale = [] if was_touched(before, after) else [after["updated_at"].isoformat()]
        what, column = f"updated_at, as before, of a job after its retry from {status}", f"column {rule.jobs_table}.updated_at"
        expect(stale, what, code="data.wrong", subject=column, of=reply).is_empty()
        expect_not_failed(reply, spec)


@promised("queue")
@pytest.mark.about("http.value")
def test_a_retried_job_has_its_attempts_again(api: Api, planted: Planted, pipeline: Pipeline, session: Session) -> None:
    """contract POST …/retry, §2 WORKER_MAX_RETRIES: a job that used up its attempts may fail again after its owner's retry."""
    most = most_retries(session)
    pipeline.bury_job(planted.job_id)
    planted.fail(most, "")
    before = pipeline.existing_job(planted.job_id)
    reply = expect(api.as_(planted.owner).call("retry", at={"job_id": planted.job_id})).success()
    row = pipeline.existing_job(planted.job_id)
    planted.settle()
    expect_begun(row, reply, pipeline, before)
    what = "retry_count of a job after its owner's retry"
    count, subject = row["retry_count"], field_of("retry_count", reply)
    expect(count, what, code="http.value", subject=subject, of=reply).is_at_most(most - 1)


def test_a_failed_job_can_be_retried(
    api: Api, new_user: User, user: User, new_document: NewDocument, pipeline: Pipeline, spec: Specification
) -> None:
    """contract POST …/retry: 200 for the owner of a dead job, which waits for the worker again; 404 for anybody else."""
    document = new_document()
    accepted = Accepted(api.as_(new_user).request_upload(document))
    job_id = accepted.job_id
    pipeline.bury_job(job_id)
    expect(api.send(api.absolute(accepted.signed_url), document.body)).success()
    by_another = api.as_(user).call("retry", at={"job_id": job_id})
    of_anothers_job(by_another, served="isolation.write").error("unknown", because="it is another's")
    reply = expect(api.as_(new_user).call("retry", at={"job_id": job_id})).success()
    expect_not_failed(reply, spec)
    expect_begun(pipeline.existing_job(job_id), reply, pipeline)
