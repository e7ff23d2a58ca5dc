"""8.2.2 Test API endpoints functionality: limits and states hold for requests of the same moment (contract: HTTP API)."""

from collections.abc import Callable
from functools import partial

import pytest

from fixtures.api import Api
from fixtures.at_once import at_once
from fixtures.documents import Document
from fixtures.pipeline import Pipeline
from fixtures.planted import Planted
from fixtures.rows_of_callbacks import callbacks_at_once, status_after_callback
from fixtures.uploads import Accepted
from fixtures.users import User
from fixtures.violations import CONCURRENCY_LIMIT, DAILY_LIMIT, within
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import promised
from spec import Specification

NewDocument = Callable[[], Document]
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "database"),
    promised("pipeline", "limits", "uploads"),
]


def variants_of(document: Document, number: int) -> list[Document]:
    stem, _, ending = document.filename.rpartition(".")
    return [Document(f"{stem}-{place}.{ending}", document.body + str(place).encode()) for place in range(number)]


@pytest.mark.about("limit.missing", f"limit {CONCURRENCY_LIMIT}")
def test_the_limits_hold_for_uploads_at_once(
    api: Api, pipeline: Pipeline, new_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/upload: 429 above 2 running jobs and 3 documents a day of one user, also of one moment (F34)."""
    running, a_day = spec.limits.max_concurrent_jobs_per_user, spec.limits.max_uploads_per_day_per_user
    accepted: list[str] = []
    for limit in (CONCURRENCY_LIMIT, DAILY_LIMIT):
        room = min(running, a_day - len(accepted))
        documents = variants_of(new_document(), running + spec.uploads.at_once)
        replies = at_once(api.as_(new_user), [partial(Api.request_upload, document=one) for one in documents])
        taken = [Accepted(reply).job_id for reply in replies if reply.succeeded]
        if not taken and accepted:
            # All that were accepted before are finished.
            within(replies[0], CONCURRENCY_LIMIT)
        if not taken:
            not_applicable(f"none of the uploads was accepted: {sorted({reply.status for reply in replies})}")
        what, subject = f"accepted uploads, of {len(replies)} at once", f"limit {limit}"
        expect(len(taken), what, subject=subject, of=replies[0]).is_at_most(room, "the limit is per user")
        for job_id in taken:
            pipeline.finish_job(job_id)
        accepted += taken


@pytest.mark.about("http.accepted")
def test_a_job_is_retried_once_of_two_at_once(api: Api, planted: Planted, pipeline: Pipeline) -> None:
    """contract POST …/retry: 409 for a job that cannot be retried, such as one that was retried at the same moment."""
    pipeline.bury_job(planted.job_id)
    replies = at_once(api.as_(planted.owner), [lambda caller: caller.call("retry", at={"job_id": planted.job_id})] * 2)
    planted.settle()
    replies.sort(key=lambda reply: not reply.succeeded)
    expect(replies[0]).success("one of them is the first")
    expect(replies[1]).error("not_retryable", because="the other one has retried it")


@pytest.mark.about("job.twice")
def test_a_callback_counts_once_of_two_at_once(api: Api, planted: Planted, pipeline: Pipeline, spec: Specification) -> None:
    """contract Callbacks: one that comes twice changes nothing the second time, also where both come at the same moment."""
    request = planted.callback(next(iter(spec.webhook.results))).request
    replies = callbacks_at_once(api, planted.job_id, request, 2)
    for reply in replies:
        expect(reply, refused="webhook.refused").success("a repeat is acknowledged")
    status = status_after_callback(pipeline, planted.job_id, spec.pipeline.callback_stage)
    expect(status, "status after two callbacks of one moment", of=replies[0]).differs_from(spec.pipeline.callback_stage)
    times = pipeline.times_at(planted.job_id, spec.pipeline.parsed_stage)
    if not times:
        not_applicable("the release keeps no event of this stage")
    subject, facts = replies[0].subject, {"detail": f"{spec.pipeline.parsed_stage} is recorded {times} times"}
    expect(times, "times that a callback took effect, of two at once", subject=subject, facts=facts, of=replies[0]).equals(1)
