"""8.2.2 Test API endpoints functionality: uploads (contract: HTTP API)."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from fixtures.api import Api
from fixtures.clock import moment
from fixtures.documents import Document
from fixtures.pipeline import Pipeline
from fixtures.users import User
from gate.http import expect
from gate.selection import promised
from spec import Specification

NewDocument = Callable[[], Document]
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    promised("pipeline"),
]


def test_an_upload_is_accepted(
    api: Api, pipeline: Pipeline, new_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/upload: 200 with job, document and signed URL, and the rows exist (F06)."""
    document = new_document()
    reply = expect(api.as_(new_user).request_upload(document)).success()
    body = expect(reply).fields(*spec.endpoint("upload").fields)
    row = pipeline.existing_job(body["job_id"])
    expect(str(row["user_id"]), "owner of the document's row").equals(new_user.id)


def test_the_upload_window_is_as_published(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract Signed upload URLs live 300 s."""
    body = expect(api.as_(new_user).request_upload(new_document())).success().object()
    left = (moment(body["upload_expires_at"]) - datetime.now(UTC)).total_seconds()
    skew = spec.health.clock_skew_seconds
    expect(left, "seconds until the signed URL expires").is_at_most(spec.limits.signed_url_ttl_seconds + skew)
    expect(left, "seconds until the signed URL expires").is_above(skew)


def test_the_same_file_again_is_a_duplicate(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: 409 for the same user and hash."""
    document = new_document()
    expect(api.as_(new_user).request_upload(document)).success()
    reply = expect(api.as_(new_user).request_upload(document)).error("duplicate")
    expect(reply).fields(*spec.endpoint("upload").error_fields["duplicate"])
    expect(api.differing_values(reply, "duplicate"), "fields of the refusal that differ").is_empty()


def test_another_user_may_upload_the_same_file(api: Api, new_user: User, another_user: User, new_document: NewDocument) -> None:
    """contract POST …/upload: duplicates are per user."""
    document = new_document()
    first = expect(api.as_(new_user).request_upload(document)).success().object()
    second = expect(api.as_(another_user).request_upload(document)).success().object()
    expect(second["document_id"], "document id of the second user").differs_from(first["document_id"])


def test_upload_refuses_a_file_over_the_limit(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: 413 above the published size limit (F34)."""
    reply = api.as_(new_user).request_upload(new_document(), bytes_len=spec.limits.max_file_size_bytes + 1)
    expect(reply).error("too_large", because="the limit protects the worker from files it cannot parse")


def test_upload_accepts_a_file_at_the_limit(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: the limit itself is allowed."""
    expect(api.as_(new_user).request_upload(new_document(), bytes_len=spec.limits.max_file_size_bytes)).success()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"mime": "text/html"}, id="mime"),
        pytest.param({"sha256": "abc"}, id="short-hash"),
        pytest.param({"sha256": "z" * 64}, id="hash-not-hexadecimal"),
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
    api: Api, new_user: User, new_document: NewDocument, changed: dict[str, object]
) -> None:
    """contract POST …/upload: 422 bad mime, hash, name or length."""
    expect(api.as_(new_user).request_upload(new_document(), **changed)).error("malformed")


def test_upload_refuses_a_long_name(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: 422 for a file name above the limit."""
    name = "x" * (spec.limits.max_filename_characters + 1) + ".pdf"
    expect(api.as_(new_user).request_upload(new_document(), filename=name)).error("malformed")


def test_a_third_running_job_is_refused(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: 429 above 2 running jobs of one user (F34)."""
    for _ in range(spec.limits.max_concurrent_jobs_per_user):
        expect(api.as_(new_user).request_upload(new_document())).success()
    expect(api.as_(new_user).request_upload(new_document())).error("too_many", because="the limit is per user")


def test_a_fourth_document_a_day_is_refused(
    api: Api, pipeline: Pipeline, new_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/upload: 429 above 3 documents a day of one user (F34)."""
    for _ in range(spec.limits.max_uploads_per_day_per_user):
        body = expect(api.as_(new_user).request_upload(new_document())).success().object()
        pipeline.finish_job(body["job_id"])
    expect(api.as_(new_user).request_upload(new_document())).error("too_many", because="the limit is per user and day")


def test_the_published_limits_are_the_specified_ones(api: Api, spec: Specification) -> None:
    """contract GET …/upload/limits: the limits themselves (F34)."""
    body = expect(api.call("limits")).fields(*spec.endpoint("limits").fields)
    wanted = {name: getattr(spec.limits, name) for name in spec.endpoint("limits").fields}
    expect({name: body[name] for name in wanted}, "published limits").equals(wanted)


def test_the_signed_url_takes_the_file_once(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract PUT signed_url: 200/201, then 409 already there."""
    document = new_document()
    url = api.absolute(expect(api.as_(new_user).request_upload(document)).success().object()["signed_url"])
    expect(api.send(url, document.body)).success()
    expect(api.send(url, document.body)).error("taken")


def test_an_altered_signature_is_refused(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract PUT signed_url: 400 or 403 for an altered token."""
    document = new_document()
    url = api.absolute(expect(api.as_(new_user).request_upload(document)).success().object()["signed_url"])
    expect(api.send(url[:-6] + "AAAAAA", document.body)).error("unauthorized")


def test_the_upload_proxy_takes_the_file(
    api: Api, new_user: User, new_document: NewDocument, pipeline: Pipeline, spec: Specification
) -> None:
    """contract PUT …/upload-file-proxy: 200 {status: success}."""
    document = new_document()
    job_id = expect(api.as_(new_user).request_upload(document)).success().object()["job_id"]
    bucket, _, key = pipeline.raw_path(job_id).partition("/")
    headers = {"Content-Type": spec.limits.supported_mime_types[0]}
    at = {"bucket": bucket, "key": key}
    reply = expect(api.as_(new_user).call("upload_proxy", at=at, content=document.body, headers=headers)).success()
    expect(api.differing_values(reply), "fields of the reply that differ").is_empty()
