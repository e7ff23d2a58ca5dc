"""8.2.2 Test API endpoints functionality: uploads (contract: HTTP API)."""

from collections.abc import Callable
from itertools import cycle
from uuid import UUID

import pytest

from fixtures.api import Api
from fixtures.clock import TimeField
from fixtures.documents import Document
from fixtures.pipeline import Pipeline
from fixtures.pretending import expect_own_row, request_upload_as
from fixtures.quota import Quota
from fixtures.supabase import Supabase
from fixtures.supabase_replies import statuses_of
from fixtures.unsent import AllUnsent
from fixtures.uploads import Accepted, altered
from fixtures.users import User
from fixtures.violations import CONCURRENCY_LIMIT, DAILY_LIMIT, SIZE_LIMIT, after_failures, of_a_duplicate, within
from gate.failures import not_applicable
from gate.fields import subject_of_field
from gate.http import Reply, Timed, expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification
from spec.queue_entries import failures_of, in_groups, running_in, states_before_the_end

NewDocument = Callable[[], Document]


def expect_registered(quota: Quota, user: User, refused: Reply, wanted: int) -> None:
    """Expects so many documents of a user, none of which is what was refused."""
    __tracebackhide__ = True
    what = "documents of a user after the refusal of one more"
    expect(quota.documents_of(user), what, code="data.left", subject=refused.subject, of=refused).is_at_most(wanted)


pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    promised("pipeline"),
]


def test_an_upload_is_accepted(
    api: Api, pipeline: Pipeline, new_user: User, another_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/upload: 200 with job, document and signed URL, and the rows exist, of whose token it was (F06)."""
    # Whether the text is to be recognised in pictures is the caller's choice, and a name needs no ending; all others ask
    # for it without, and have one.
    document = new_document()
    name = document.filename.partition(".")[0]
    reply = expect(request_upload_as(api, new_user, another_user, document, ocr=True, filename=name)).success()
    expect(reply).fields(*spec.endpoint("upload").fields)
    accepted, what = Accepted(reply), "version of the UUID of a document, which is made of user and content"
    found = expect(UUID(accepted.document_id).version, what, code="http.value", subject=reply.subject, of=reply)
    found.equals(spec.uploads.id_version)
    row = pipeline.existing_job(accepted.job_id)
    expect_own_row(reply, str(row["user_id"]), new_user, another_user, f"{spec.pipeline.tables.documents}.user_id")
    word, column = str(row["processing_status"]), f"column {spec.pipeline.tables.documents}.processing_status"
    over = [word] if word in spec.pipeline.document_statuses or spec.pipeline.has_failed(word) else []
    what = "words of an end for a document whose file has not come"
    expect(over, what, code="data.wrong", subject=column, of=reply).is_empty()


def test_the_upload_window_is_as_published(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract Signed upload URLs live 300 s."""
    # Of the size of a file nothing is said but that it is above zero.
    reply = within(api.as_(new_user).request_upload(new_document(), bytes_len=1), SIZE_LIMIT)
    time = TimeField(reply, "upload_expires_at")
    skew = spec.health.clock_skew_seconds
    left = expect(
        time.from_now,
        "seconds until the signed URL expires",
        code="time.wrong",
        subject=time.subject,
        facts=time.facts,
        of=reply,
    )
    left.is_at_most(spec.limits.signed_url_ttl_seconds + skew)
    left.is_at_least(spec.limits.signed_url_ttl_seconds - skew - reply.seconds, "people with slow lines need the whole time")


@pytest.mark.about("data.doubled")
def test_the_same_file_again_is_a_duplicate(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: 409 for the same user and hash."""
    document = new_document()
    first = expect(api.as_(new_user).request_upload(document)).success()
    reply = of_a_duplicate(api.as_(new_user).request_upload(document), first).error("duplicate")
    expect(reply).fields(*spec.endpoint("upload").error_fields["duplicate"])
    differing = api.differing_values(reply, "duplicate")
    expect(differing, "fields of the refusal that differ", code="http.value", subject=reply.subject, of=reply).is_empty()


def test_another_user_may_upload_the_same_file(api: Api, new_user: User, another_user: User, new_document: NewDocument) -> None:
    """contract POST …/upload: duplicates are per user."""
    document = new_document()
    first = Accepted(api.as_(new_user).request_upload(document))
    second = Accepted(api.as_(another_user).request_upload(document))
    reply = second.reply
    # One document of two users would show each the other's.
    own = expect(second.document_id, "document id of the second user", code="isolation.read", subject=reply.subject, of=reply)
    own.differs_from(first.document_id)


@pytest.mark.about("limit.missing", f"limit {SIZE_LIMIT}")
def test_upload_refuses_a_file_over_the_limit(api: Api, user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: 413 above the published size limit (F34), also where the text is to be recognised."""
    reply = api.as_(user).request_upload(new_document(), bytes_len=spec.limits.max_file_size_bytes + 1, ocr=True)
    expect(reply).error("too_large", because="the limit protects the worker from files it cannot parse")


def test_upload_accepts_a_file_at_the_limit(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: the limit itself is allowed."""
    within(api.as_(new_user).request_upload(new_document(), bytes_len=spec.limits.max_file_size_bytes), SIZE_LIMIT)


@pytest.mark.parametrize(
    "changed",
    [
        # Storage itself takes it, for parsed texts; other types are refused elsewhere.
        pytest.param({"mime": "text/markdown"}, id="mime"),
        # One digit too few, one too many, one that is none.
        pytest.param({"sha256": "a" * 63}, id="short-hash"),
        pytest.param({"sha256": "a" * 65}, id="long-hash"),
        pytest.param({"sha256": "a" * 63 + "g"}, id="hash-not-hexadecimal"),
        pytest.param({"filename": ""}, id="empty-name"),
        pytest.param({"bytes_len": 0}, id="no-bytes"),
        pytest.param({"bytes_len": -1}, id="negative-bytes"),
        pytest.param({"bytes_len": "many"}, id="bytes-not-a-number"),
        pytest.param({"filename": None}, id="without-name"),
        pytest.param({"sha256": None}, id="without-hash"),
        pytest.param({"bytes_len": None}, id="without-bytes"),
        pytest.param({"mime": None}, id="without-mime"),
    ],
)
def test_upload_refuses_a_malformed_request(
    api: Api, user: User, new_document: NewDocument, changed: dict[str, object]
) -> None:
    """contract POST …/upload: 422 bad mime, hash, name or length."""
    expect(api.as_(user).request_upload(new_document(), **changed)).error("malformed")


@pytest.mark.about("limit.missing", "limit max_filename_characters")
def test_upload_refuses_a_long_name(api: Api, user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: 422 for a file name above the limit, be it by a single character."""
    name = ".pdf".rjust(spec.limits.max_filename_characters + 1, "x")
    expect(api.as_(user).request_upload(new_document(), filename=name)).error("malformed")


@pytest.mark.about("limit.missing", f"limit {CONCURRENCY_LIMIT}")
def test_a_third_running_job_is_refused(
    api: Api, new_user: User, new_document: NewDocument, quota: Quota, spec: Specification
) -> None:
    """contract POST …/upload: 429 above 2 running jobs of one user, and nothing is registered of what is refused (F34)."""
    for _ in range(spec.limits.max_concurrent_jobs_per_user):
        within(api.as_(new_user).request_upload(new_document()), CONCURRENCY_LIMIT)
    refused = expect(api.as_(new_user).request_upload(new_document())).error("too_many", because="the limit is per user")
    expect_registered(quota, new_user, refused, spec.limits.max_concurrent_jobs_per_user)


@each("state", states_before_the_end)
@pytest.mark.about("limit.missing", f"limit {CONCURRENCY_LIMIT}")
def test_a_job_is_running_in_every_state_before_its_end(
    api: Api, pipeline: Pipeline, new_user: User, new_document: NewDocument, quota: Quota, spec: Specification, state: str
) -> None:
    """contract POST …/upload: 429 above 2 running jobs, which wait, are worked on, or tried again, at each stage (F34)."""
    most, caller = spec.limits.max_concurrent_jobs_per_user, api.as_(new_user)
    jobs = [Accepted(within(caller.request_upload(new_document()), CONCURRENCY_LIMIT)).job_id for _ in range(most)]
    for number, stages in enumerate(in_groups(running_in(spec.pipeline, state), most)):
        for job_id, stage in zip(jobs, cycle(stages), strict=False):
            pipeline.put_job(job_id, state, stage, anyway=number > 0)
        if number > 0:
            quota.let_pass_days(new_user)
        refused = caller.request_upload(new_document())
        expect(refused).error("too_many", because=f"jobs that are {state} at {' and '.join(stages)} are running")


@pytest.mark.about("limit.missing", f"limit {CONCURRENCY_LIMIT}")
def test_a_job_whose_file_has_not_come_is_running(all_unsent: AllUnsent, session: Session) -> None:
    """contract POST …/upload: 429 above 2 running jobs, also once a worker has looked for their files in vain (F34)."""
    if not all_unsent.were_waiting(session):
        not_applicable("no worker had looked for their files, or a job had ended, before another one was asked for")
    expect(all_unsent.answer).error("too_many", because="the limit is per user")


@pytest.mark.about("limit.missing", f"limit {DAILY_LIMIT}")
def test_a_fourth_document_a_day_is_refused(
    api: Api, pipeline: Pipeline, new_user: User, new_document: NewDocument, quota: Quota, spec: Specification
) -> None:
    """contract POST …/upload: 429 above 3 documents a day of one user, failed ones too, those of other days not (F34)."""
    most, caller = spec.limits.max_uploads_per_day_per_user, api.as_(new_user)
    first, *others = (new_document() for _ in range(most))
    accepted = Accepted(within(caller.request_upload(first), DAILY_LIMIT))
    jobs = [accepted.job_id]
    for one, status in zip(others, cycle(failures_of(spec)), strict=False):
        pipeline.put_job(jobs[-1], spec.pipeline.failed_state, status)
        jobs.append(Accepted(after_failures(caller, one, pipeline, jobs)).job_id)
    pipeline.bury_job(jobs[-1])
    document = new_document()
    quota.begin_with_the_day(new_user)
    refused = expect(caller.request_upload(document)).error("too_many", because="the limit is per user and day")
    expect_registered(quota, new_user, refused, most)
    let_go = quota.after_days(new_user, lambda: caller.request_upload(document))
    expect(let_go, code="limit.strict", subject=f"limit {DAILY_LIMIT}").success("the other documents are not of this day")
    pipeline.finish_job(jobs[0])
    expect(caller.request_upload(first)).error("duplicate", because="the content is the same after days, too")
    anew = quota.after_removal(new_user, lambda: caller.request_upload(first, filename=document.filename))
    strange = [id for reply in anew if (id := Accepted(reply).document_id) != accepted.document_id]
    what, hint = "other ids of a document that is registered again under another name", "an id is made of user and content"
    subject = subject_of_field(accepted.reply, "document_id")
    expect(strange, what, hint, code="http.value", subject=subject, of=accepted.reply).is_empty()


@pytest.mark.about("limit.published")
def test_the_published_limits_are_the_specified_ones(api: Api, spec: Specification) -> None:
    """contract GET …/upload/limits: the limits themselves (F34)."""
    reply = api.call("limits")
    body = expect(reply).fields(*spec.endpoint("limits").fields)
    wanted = {name: getattr(spec.limits, name) for name in spec.endpoint("limits").fields}
    differing = [name for name in wanted if body[name] != wanted[name]]
    for name in wanted:
        expect(
            body[name], f"published {name}", subject=f"limit {name}", facts={"differing": differing}, of=reply
        ).equals(wanted[name])  # fmt: skip


def test_the_signed_url_takes_the_file_once(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract PUT signed_url: 200/201, then 409 already there."""
    document = new_document()
    url = api.absolute(Accepted(api.as_(new_user).request_upload(document)).signed_url)
    expect(api.send(url, document.body)).success()
    expect(api.send(url, document.body)).error("taken")


def test_an_altered_signature_is_refused(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract PUT signed_url: 400 or 403 for an altered token."""
    document = new_document()
    url = api.absolute(Accepted(api.as_(new_user).request_upload(document)).signed_url)
    expect(api.send(altered(url), document.body)).error("unauthorized")
    expect(api.send(url, document.body)).success("a refusal of the right signature would prove nothing")


def test_the_upload_proxy_passes_on_what_storage_says(
    api: Api, new_user: User, new_document: NewDocument, pipeline: Pipeline, supabase: Supabase, spec: Specification
) -> None:
    """contract PUT …/upload-file-proxy: 200 {status: success}, or storage's own status, as for a file that is there already."""
    document, mime, caller = new_document(), spec.limits.supported_mime_types[0], api.as_(new_user)
    bucket, _, key = pipeline.raw_path(Accepted(caller.request_upload(document)).job_id).partition("/")
    sent: Timed = {"content": document.body, "headers": {"Content-Type": mime}}
    nowhere, there = ({"bucket": name, "key": key} for name in (f"{bucket}-elsewhere", bucket))
    expect(caller.call("upload_proxy", at=nowhere, **sent)).refusal("there is no such bucket")
    reply = expect(caller.call("upload_proxy", at=there, **sent)).success()
    differing = api.differing_values(reply)
    expect(differing, "fields of the reply that differ", code="http.value", subject=reply.subject, of=reply).is_empty()
    wanted = statuses_of(supabase.storage.write(key, document.body, mime))
    expect(caller.call("upload_proxy", at=there, **sent)).status(*wanted, because="storage itself says so of the same file")
