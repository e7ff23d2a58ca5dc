"""8.2.2 Test API endpoints functionality: values far beyond a limit, and users who have more than a limit lets them make."""

from collections.abc import Callable
from functools import partial

import pytest

from fixtures.api import Api, job_ids
from fixtures.documents import Document
from fixtures.pipeline import Pipeline
from fixtures.planted import Planted
from fixtures.quota import Quota
from fixtures.stored import object_key
from fixtures.uploads import Accepted
from fixtures.users import User
from fixtures.violations import CONCURRENCY_LIMIT, DAILY_LIMIT, NAME_LIMIT, SIZE_LIMIT, within
from gate.http import Timed, expect
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


@pytest.mark.about("limit.missing", f"limit {SIZE_LIMIT}")
def test_a_size_far_beyond_the_limit_is_refused_as_too_large(
    api: Api, user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/upload: 413 above the published size limit, however far above (F34)."""
    size = spec.limits.max_file_size_bytes * spec.uploads.far_beyond
    expect(api.as_(user).request_upload(new_document(), bytes_len=size)).error("too_large", because="it is above the limit")


@pytest.mark.about("limit.missing", f"limit {NAME_LIMIT}")
def test_a_name_far_beyond_the_limit_is_refused(api: Api, user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: 422 for a file name above the limit, however long, and no other name in its place."""
    name = ".pdf".rjust(spec.limits.max_filename_characters * spec.uploads.far_beyond, "x")
    expect(api.as_(user).request_upload(new_document(), filename=name)).error("malformed")


@pytest.mark.about("limit.missing", f"limit {CONCURRENCY_LIMIT}")
def test_a_user_with_more_running_jobs_than_allowed_gets_no_further_one(
    api: Api, pipeline: Pipeline, new_user: User, new_document: NewDocument, quota: Quota, spec: Specification
) -> None:
    """contract POST …/upload: 429 above 2 running jobs, also where a retry has made them 3 (F34)."""
    most, caller, rule = spec.limits.max_concurrent_jobs_per_user, api.as_(new_user), spec.pipeline
    jobs: list[str] = []
    for _ in range(most + 1):
        jobs.append(Accepted(within(caller.request_upload(new_document()), DAILY_LIMIT)).job_id)
        pipeline.bury_job(jobs[-1])
    for job_id in jobs:
        pipeline.put_job(job_id, rule.states.working, rule.callback_stage)
    quota.let_pass_days(new_user)
    refused = caller.request_upload(new_document())
    expect(refused).error("too_many", because=f"{len(jobs)} jobs of this user are running")


@pytest.mark.about("http.value")
def test_a_page_holds_as_many_jobs_as_were_asked_for(
    api: Api, planted: Planted, many_jobs: list[str], spec: Specification
) -> None:
    """contract GET …/jobs: limit and offset select a page, also of many jobs, and all pages together hold each job once."""
    size, call = spec.uploads.page, partial(api.as_(planted.owner).call, "jobs")
    replies = [expect(call(params={"limit": size, "offset": at})).success() for at in range(0, len(many_jobs), size)]
    pages, of = [job_ids(reply) for reply in replies], replies[0]
    what = f"jobs on each page of {size}, of a user with {len(many_jobs)}"
    expect([len(page) for page in pages], what, subject=of.subject, of=of).equals([size, size, spec.uploads.more_jobs])
    found = sorted(job for page in pages for job in page)
    expect(found, "jobs on all pages", subject=of.subject, of=of).equals(sorted(many_jobs))


@pytest.mark.parametrize("named", ["limit", "offset"])
def test_a_page_beyond_all_numbers_breaks_nothing(api: Api, user: User, spec: Specification, named: str) -> None:
    """contract GET …/jobs: a limit or an offset of any size is refused (422), or there is nothing more to list."""
    expect(api.as_(user).call("jobs", params={named: spec.uploads.beyond_all})).handled("clients may send any number")


@pytest.mark.about("http.unhandled")
def test_a_header_beyond_ascii_breaks_nothing(api: Api, user: User, spec: Specification) -> None:
    """contract HTTP API: a request with any text in a header is refused or answered, and the answer has its id and time."""
    odd, rule = spec.probes.odd_value, spec.pipeline
    refused = api.having({"Authorization": f"Bearer {odd}"}).call("me")
    expect(refused).refusal("it is no token")
    for name in (spec.monitoring.request_id_header, "Origin"):
        reply = expect(api.as_(user).having({name: odd}).call("me")).handled(f"{name} may hold anything")
        if reply.own:
            expect(reply).header(spec.monitoring.request_id_header).matches(r"\S+")
    key = object_key(rule.raw_path, user.id, spec.probes.unknown_id)
    api.session.journal.record("object", key=key)
    sent: Timed = {"content": spec.probes.file.encode(), "headers": {"Content-Type": odd}}
    proxied = api.as_(user).call("upload_proxy", at={"bucket": rule.bucket, "key": key}, **sent)
    expect(proxied).passed_on("the type may hold anything")
