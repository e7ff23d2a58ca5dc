"""8.2.2 Test API endpoints functionality: jobs and documents (contract: HTTP API)."""

from collections.abc import Callable

import pytest

from fixtures.api import Api, expect_jobs, job_ids
from fixtures.controls import require_known
from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.documents import Document
from fixtures.job_shown import PROGRESS, WHOLE, field_of, percentages
from fixtures.pipeline import Pipeline
from fixtures.planted import Planted
from fixtures.uploads import Accepted
from fixtures.users import User
from fixtures.violations import CONCURRENCY_LIMIT, of_a_column, within
from gate.fields import id_in
from gate.http import expect
from gate.selection import promised
from spec import Specification

NewDocument = Callable[[], Document]
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    pytest.mark.about("http.value"),
    promised("pipeline"),
]


def test_a_new_job_can_be_read(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract GET …/jobs/{job_id}: the owner sees the job (F07)."""
    accepted = Accepted(api.as_(new_user).request_upload(new_document()))
    reply = expect(api.as_(new_user).call("job", at={"job_id": accepted.job_id})).success()
    expect(reply).fields(*spec.endpoint("job").fields)
    for percent in percentages(reply):
        what = "percentage of a job whose file was not sent"
        expect(percent, what, subject=field_of(PROGRESS, reply), of=reply).is_at_most(max(WHOLE) - 1)
    shown = id_in(reply, "document_id")
    expect(shown, "document of the job", subject=field_of("document_id", reply), of=reply).equals(accepted.document_id)


def test_the_jobs_of_the_caller_are_listed(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract GET …/jobs: the caller's jobs only (F07)."""
    job_id = Accepted(api.as_(new_user).request_upload(new_document())).job_id
    reply = expect(api.as_(new_user).call("jobs", params={"limit": 10, "offset": 0})).success()
    expect_jobs(reply, "jobs of a user with one upload", [job_id], own=[job_id])


def test_a_listing_holds_what_was_just_accepted(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract GET …/jobs: asked again, the same listing shows a job that was accepted in between (F07)."""
    caller, listing = api.as_(new_user), {"limit": 10, "offset": 0}
    accepted = []
    for _ in range(2):
        accepted.append(Accepted(within(caller.request_upload(new_document()), CONCURRENCY_LIMIT)).job_id)
        shown = [expect(caller.call("jobs", params=listing)).success() for _ in range(2)][-1]
        missing = sorted({*accepted} - {*job_ids(shown)})
        expect(missing, "accepted jobs that the listing lacks", subject=shown.subject, of=shown).is_empty()


def test_a_listing_goes_page_by_page(
    api: Api, new_user: User, new_document: NewDocument, pipeline: Pipeline, spec: Specification
) -> None:
    """contract GET …/jobs: limit and offset select a page of the jobs, and of those in a state where one is named."""
    # Other content is another document, also under the same name.
    name, caller = new_document().filename, api.as_(new_user)
    uploads = [within(caller.request_upload(new_document(), filename=name), CONCURRENCY_LIMIT) for _ in range(2)]
    sent = {Accepted(upload).job_id for upload in uploads}
    pages = [expect(api.as_(new_user).call("jobs", params={"limit": 1, "offset": n})).success() for n in range(3)]
    found = [job_ids(page) for page in pages]
    subject = pages[0].subject
    expect([len(page) for page in found], "jobs on each page of one, of a user with two uploads", subject=subject).equals(
        [1, 1, 0]
    )
    expect({job for page in found for job in page}, "jobs on all pages", subject=subject).equals(sent)
    # Of all jobs one is on the first page and the other on the second; each is alone in its state.
    first, second = found[0][0], found[1][0]
    pipeline.finish_job(first)
    pipeline.bury_job(second)
    for state, offset, wanted in ((spec.pipeline.failed_state, 0, [second]), (spec.pipeline.final_state, 1, [])):
        page = expect(api.as_(new_user).call("jobs", params={"limit": 1, "offset": offset, "state": state})).success()
        expect_jobs(page, f"jobs from {offset} on of a user with one job in state {state}", wanted, own=sent)


def test_a_listing_is_filtered_by_state(api: Api, policy: DocumentRun, pipeline: Pipeline, spec: Specification) -> None:
    """contract GET …/jobs: state selects the jobs in that state."""
    # The state that the job really has: whether it is the right one is a check of its own.
    found, waiting = pipeline.existing_job(policy.job_id)["state"], spec.pipeline.states.waiting
    for state, wanted in ((found, [policy.job_id]), (waiting, [policy.job_id] if found == waiting else [])):
        reply = expect(api.as_(policy.owner).call("jobs", params={"state": state})).success()
        expect_jobs(reply, f"jobs in state {state} of a user with one finished job", wanted, own=[policy.job_id])


@pytest.mark.parametrize("query", [{"limit": -1}, {"limit": "many"}, {"offset": -1}, {"state": "nonsense"}], ids=str)
def test_a_malformed_listing_is_refused(api: Api, user: User, query: dict[str, str | int]) -> None:
    """contract GET …/jobs: 422 for a malformed limit, offset or state."""
    expect(api.as_(user).call("jobs", params=query)).error("malformed")


def test_the_document_status_can_be_read(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract GET /documents/{document_id}/status: the owner sees the status (F07)."""
    accepted = Accepted(api.as_(new_user).request_upload(new_document()))
    reply = expect(api.as_(new_user).call("document_status", at={"document_id": accepted.document_id})).success()
    what, subject = "what the status of a document shows", reply.subject
    expect(reply.json(), what, subject=subject, of=reply).satisfies(
        lambda body: isinstance(body, dict | list) and bool(body), "to be an object or a list that holds something"
    )


@pytest.mark.parametrize("endpoint", ["job", "retry"])
def test_an_unknown_job_is_not_found(api: Api, planted: Planted, spec: Specification, endpoint: str) -> None:
    """contract GET, POST …/jobs/{job_id}: 404 for an unknown job."""
    user = planted.owner
    require_known(api.as_(user).call(endpoint, at={"job_id": planted.job_id}))
    expect(api.as_(user).call(endpoint, at={"job_id": spec.probes.unknown_id})).error("unknown")


def test_an_unknown_document_is_not_found(api: Api, planted: Planted, spec: Specification) -> None:
    """contract GET /documents/{document_id}/status: 404 for an unknown document."""
    user = planted.owner
    require_known(api.as_(user).call("document_status", at={"document_id": planted.document_id}))
    expect(api.as_(user).call("document_status", at={"document_id": spec.probes.unknown_id})).error("unknown")


def test_the_finished_job_is_shown_as_finished(api: Api, policy: DocumentRun, pipeline: Pipeline, spec: Specification) -> None:
    """contract GET …/jobs/{job_id}: a finished job has status complete and state done."""
    reply = expect(api.as_(policy.owner).call("job", at={"job_id": policy.job_id})).success()
    wanted = {"status": spec.pipeline.final_status, "state": spec.pipeline.final_state}
    job, row = expect(reply).fields(*wanted), pipeline.existing_job(policy.job_id)
    for name, value in wanted.items():
        code, subject = of_a_column(spec, reply, name, as_stored=job[name] == row[name])
        expect(job[name], f"{name} of the finished job", code=code, subject=subject, of=reply).equals(value)
    for percent in percentages(reply):
        expect(percent, "percentage of a finished job", subject=field_of(PROGRESS, reply), of=reply).is_one_of(WHOLE)


def test_the_failed_job_is_shown_with_its_reason(
    api: Api, document_runs: DocumentRuns, pipeline: Pipeline, spec: Specification
) -> None:
    """contract GET …/jobs/{job_id}: a failed job shows last_error."""
    failed = document_runs.failed("no_text")
    reply = expect(api.as_(failed.owner).call("job", at={"job_id": failed.job_id})).success()
    job, row = expect(reply).fields("status", "last_error"), pipeline.existing_job(failed.job_id)
    code, subject = of_a_column(spec, reply, "status", as_stored=job["status"] == row["status"])
    what = "status of a document without text"
    expect(str(job["status"]), what, code=code, subject=subject, of=reply).satisfies(
        spec.pipeline.has_failed, "to be a failure"
    )
    code, subject = of_a_column(spec, reply, "last_error", as_stored=not row["last_error"], code="data.reason")
    expect(job["last_error"], "last_error of the failed job", code=code, subject=subject, of=reply).is_not_empty()


@pytest.mark.about("http.value", "field status of GET /documents/{{document_id}}/status")
def test_the_finished_document_is_shown_at_no_earlier_stage(api: Api, policy: DocumentRun, spec: Specification) -> None:
    """contract Progress can be read in three ways: a document whose job is complete is at no stage before (F07)."""
    reply = expect(api.as_(policy.owner).call("document_status", at={"document_id": policy.document_id})).success()
    body = reply.json()
    shown = body.get("status") if isinstance(body, dict) else None
    earlier = [shown] if policy.outcome == "complete" and shown in spec.pipeline.stages[:-1] else []
    subject = f"field status of {reply.subject.removeprefix('endpoint ')}"
    expect(earlier, "stages before the last that a finished document is shown at", subject=subject, of=reply).is_empty()
