"""8.2.2 Test API endpoints functionality (contract: HTTP API)."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from fixtures.api import Api, job_ids, shape
from fixtures.database import Database, moment
from fixtures.documents import Document
from gate.http import expect
from fixtures.document_runs import DocumentRun, DocumentRuns
from fixtures.supabase import Supabase
from fixtures.users import User, Users
from fixtures.webhooks import signed
from spec import Specification, current

SPEC = current()
OPEN = [e.name for e in SPEC.endpoints if e.auth == "none" and e.method in ("GET", "HEAD")]
BEARER = [e.name for e in SPEC.endpoints if e.auth == "bearer"]
NewDocument = Callable[[], Document]
NOBODY = str(uuid.UUID(int=0))
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
]


@pytest.mark.parametrize("name", OPEN)
def test_the_open_endpoint_answers(api: Api, spec: Specification, name: str) -> None:
    """contract HTTP API: each open endpoint answers without a token (F07)."""
    endpoint = spec.endpoint(name)
    reply = expect(api.call(name)).status(endpoint.success)
    if endpoint.fields:
        expect(reply).fields(*endpoint.fields)
        expect(reply).header("Content-Type").matches(r"application/([\w.-]+\+)?json\b.*")


@pytest.mark.parametrize("name", [e.name for e in SPEC.endpoints if e.name not in OPEN])
def test_the_endpoint_is_described(api: Api, spec: Specification, name: str) -> None:
    """contract HTTP API: GET /openapi.json describes each endpoint of the release (F07)."""
    endpoint = spec.endpoint(name)
    described = {shape(path): methods for path, methods in api.call("openapi").object()["paths"].items()}
    known = [method.upper() for method in described.get(shape(endpoint.path), {})]
    expect(known, f"methods of {endpoint.path} in openapi.json", "the live commit: is it the release?").contains(
        endpoint.method
    )


# ── registration and sign-in ─────────────────────────────────────────────────────────────────────────────


def test_register_creates_a_user_who_can_sign_in(api: Api, users: Users, spec: Specification) -> None:
    """contract POST /register: 200, and the user can sign in afterwards."""
    email, password, name = users.credentials("register")
    expect(api.call("register", json={"email": email, "password": password, "name": name})).status(200)
    body = expect(api.call("login", json={"email": email, "password": password})).fields(*spec.endpoint("login").fields)
    expect(body["token_type"], "token_type").equals("bearer")
    expect(api.as_(body["access_token"]).call("me")).status(200)


@pytest.mark.parametrize("missing", ["email", "password", "name"])
def test_register_refuses_a_missing_field(api: Api, users: Users, missing: str) -> None:
    """contract POST /register: 400 missing field."""
    email, password, name = users.credentials("register")
    body = {"email": email, "password": password, "name": name}
    del body[missing]
    expect(api.call("register", json=body)).status(400, 422)


def test_register_refuses_a_known_address(api: Api, user: User) -> None:
    """contract POST /register: 400 or 409 duplicate e-mail."""
    body = {"email": user.email, "password": user.password, "name": user.name}
    expect(api.call("register", json=body)).status(400, 409)


@pytest.mark.parametrize("endpoint", ["login", "auth_login"])
def test_login_answers_a_token_that_works(api: Api, user: User, spec: Specification, endpoint: str) -> None:
    """contract POST /login, /auth/login: 200 with a bearer token of this user."""
    reply = expect(api.call(endpoint, json={"email": user.email, "password": user.password})).status(200)
    body = expect(reply).fields(*spec.endpoint(endpoint).fields)
    me = expect(api.as_(body["access_token"]).call("me")).status(200).object()
    expect(me.get("id"), "id of the signed-in user").equals(user.id)


@pytest.mark.parametrize("endpoint", ["login", "auth_login"])
def test_login_refuses_a_wrong_password(api: Api, user: User, endpoint: str) -> None:
    """contract POST /login, /auth/login: 401 wrong password."""
    expect(api.call(endpoint, json={"email": user.email, "password": user.password + "x"})).status(401)


@pytest.mark.parametrize("missing", ["email", "password"])
def test_login_refuses_a_missing_field(api: Api, user: User, missing: str) -> None:
    """contract POST /login: 400 missing field."""
    body = {"email": user.email, "password": user.password}
    del body[missing]
    expect(api.call("login", json=body)).status(400, 422)


def test_login_refuses_bad_json(api: Api) -> None:
    """contract POST /login: 400 bad JSON."""
    reply = api.call("login", content=b"{not json", headers={"Content-Type": "application/json"})
    expect(reply).status(400, 422)


@pytest.mark.parametrize("missing", ["email", "password"])
def test_auth_login_refuses_a_missing_field(api: Api, user: User, missing: str) -> None:
    """contract POST /auth/login: 422 missing field."""
    body = {"email": user.email, "password": user.password}
    del body[missing]
    expect(api.call("auth_login", json=body)).status(422, 400)


def consent(email: str, password: str) -> dict[str, str]:
    """Body of a sign-up with consent."""
    return {
        "email": email,
        "password": password,
        "consent_version": "1.0",
        "consent_timestamp": datetime.now(UTC).isoformat(),
    }


def test_signup_creates_a_user(api: Api, users: Users, spec: Specification) -> None:
    """contract POST /auth/signup: 201, and the user can sign in."""
    email, password, _ = users.credentials("signup")
    expect(api.call("signup", json=consent(email, password))).status(spec.endpoint("signup").success)
    expect(api.call("auth_login", json={"email": email, "password": password})).status(200)


@pytest.mark.parametrize("missing", ["email", "password", "consent_version", "consent_timestamp"])
def test_signup_refuses_a_missing_field(api: Api, users: Users, missing: str) -> None:
    """contract POST /auth/signup: 400 or 422."""
    email, password, _ = users.credentials("signup")
    body = consent(email, password)
    del body[missing]
    expect(api.call("signup", json=body)).status(400, 422)


@pytest.mark.parametrize("endpoint", ["me", "auth_user"])
def test_the_user_is_told_who_they_are(api: Api, user: User, spec: Specification, endpoint: str) -> None:
    """contract GET /me, /auth/user: the caller's own id and e-mail (F08, F09)."""
    reply = expect(api.as_(user).call(endpoint)).status(200, because="the token is valid")
    body = expect(reply).fields(*spec.endpoint(endpoint).fields)
    expect((body["id"], body["email"]), "id and e-mail").equals((user.id, user.email))


# ── upload ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_upload_is_accepted(
    api: Api, database: Database, new_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/upload: 200 with job, document and signed URL, and the rows exist (F06)."""
    document = new_document()
    reply = expect(api.as_(new_user).request_upload(document)).status(200)
    body = expect(reply).fields(*spec.endpoint("upload").fields)
    row = database.job(body["job_id"])
    expect(row is not None, "row of the new job in upload_jobs").holds()
    expect(str(row["user_id"]) if row else None, "owner of the document's row").equals(new_user.id)


def test_the_upload_window_is_as_published(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract Signed upload URLs live 300 s."""
    body = expect(api.as_(new_user).request_upload(new_document())).status(200).object()
    left = (moment(body["upload_expires_at"]) - datetime.now(UTC)).total_seconds()
    skew = spec.health.clock_skew_seconds
    expect(left, "seconds until the signed URL expires").is_at_most(spec.limits.signed_url_ttl_seconds + skew)
    expect(left, "seconds until the signed URL expires").is_above(skew)


def test_the_same_file_again_is_a_duplicate(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract POST …/upload: 409 for the same user and hash."""
    document = new_document()
    expect(api.as_(new_user).request_upload(document)).status(200)
    reply = expect(api.as_(new_user).request_upload(document)).status(409)
    body = expect(reply).fields("error_type", "message", "document_title", "last_uploaded")
    expect(body["error_type"], "error_type").equals("duplicate_document")


def test_another_user_may_upload_the_same_file(api: Api, new_user: User, another_user: User, new_document: NewDocument) -> None:
    """contract POST …/upload: duplicates are per user."""
    document = new_document()
    first = expect(api.as_(new_user).request_upload(document)).status(200).object()
    second = expect(api.as_(another_user).request_upload(document)).status(200).object()
    expect(second["document_id"], "document id of the second user").differs_from(first["document_id"])


def test_upload_refuses_a_file_over_the_limit(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: 413 above the published size limit (F34)."""
    reply = api.as_(new_user).request_upload(new_document(), bytes_len=spec.limits.max_file_size_bytes + 1)
    expect(reply).status(413, because="the limit protects the worker from files it cannot parse")


def test_upload_accepts_a_file_at_the_limit(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: the limit itself is allowed."""
    expect(api.as_(new_user).request_upload(new_document(), bytes_len=spec.limits.max_file_size_bytes)).status(200)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"mime": "text/html"}, id="mime"),
        pytest.param({"sha256": "abc"}, id="short-hash"),
        pytest.param({"sha256": "z" * 64}, id="hash-not-hexadecimal"),
        pytest.param({"filename": "x" * (SPEC.limits.max_filename_characters + 1) + ".pdf"}, id="long-name"),
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
    expect(api.as_(new_user).request_upload(new_document(), **changed)).status(422, 400)


def test_a_third_running_job_is_refused(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract POST …/upload: 429 above 2 running jobs of one user (F34)."""
    for _ in range(spec.limits.max_concurrent_jobs_per_user):
        expect(api.as_(new_user).request_upload(new_document())).status(200)
    expect(api.as_(new_user).request_upload(new_document())).status(429, because="the limit is per user")


def test_a_fourth_document_a_day_is_refused(
    api: Api, database: Database, new_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/upload: 429 above 3 documents a day of one user (F34)."""
    for _ in range(spec.limits.max_uploads_per_day_per_user):
        body = expect(api.as_(new_user).request_upload(new_document())).status(200).object()
        database.finish_job(body["job_id"])
    expect(api.as_(new_user).request_upload(new_document())).status(429, because="the limit is per user and day")


def test_the_published_limits_are_the_specified_ones(api: Api, spec: Specification) -> None:
    """contract GET …/upload/limits: the limits themselves (F34)."""
    body = expect(api.call("limits")).fields(*spec.endpoint("limits").fields)
    wanted = {name: getattr(spec.limits, name) for name in spec.endpoint("limits").fields}
    expect({name: body[name] for name in wanted}, "published limits").equals(wanted)


def test_the_signed_url_takes_the_file_once(api: Api, supabase: Supabase, new_user: User, new_document: NewDocument) -> None:
    """contract PUT signed_url: 200/201, then 409 already there."""
    document = new_document()
    url = api.absolute(expect(api.as_(new_user).request_upload(document)).status(200).object()["signed_url"])
    expect(api.send(url, document.body)).status(200, 201)
    expect(api.send(url, document.body)).status(400, 403, 409)


def test_an_altered_signature_is_refused(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract PUT signed_url: 400/403 altered token."""
    document = new_document()
    url = api.absolute(expect(api.as_(new_user).request_upload(document)).status(200).object()["signed_url"])
    expect(api.send(url[:-6] + "AAAAAA", document.body)).status(400, 401, 403)


def test_the_upload_proxy_takes_the_file(api: Api, new_user: User, new_document: NewDocument, database: Database) -> None:
    """contract PUT …/upload-file-proxy: 200 {status: success}."""
    document = new_document()
    job_id = expect(api.as_(new_user).request_upload(document)).status(200).object()["job_id"]
    bucket, _, key = database.raw_path(job_id).partition("/")
    headers = {"Content-Type": SPEC.limits.supported_mime_types[0]}
    at = {"bucket": bucket, "key": key}
    body = expect(api.as_(new_user).call("upload_proxy", at=at, content=document.body, headers=headers)).status(200).object()
    expect(body.get("status"), "status").equals("success")


# ── jobs and documents ───────────────────────────────────────────────────────────────────────────────────


def test_a_new_job_can_be_read(api: Api, new_user: User, new_document: NewDocument, spec: Specification) -> None:
    """contract GET …/jobs/{job_id}: the owner sees the job (F07)."""
    body = expect(api.as_(new_user).request_upload(new_document())).status(200).object()
    reply = expect(api.as_(new_user).call("job", at={"job_id": body["job_id"]})).status(200)
    job = expect(reply).fields(*spec.endpoint("job").fields)
    expect(job["document_id"], "document of the job").equals(body["document_id"])


def test_the_jobs_of_the_caller_are_listed(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract GET …/jobs: the caller's jobs only (F07)."""
    job_id = expect(api.as_(new_user).request_upload(new_document())).status(200).object()["job_id"]
    reply = expect(api.as_(new_user).call("jobs", params={"limit": 10, "offset": 0})).status(200)
    expect(job_ids(reply), "jobs of a user with one upload").equals([job_id])


def test_a_listing_goes_page_by_page(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract GET …/jobs: limit and offset."""
    sent = {expect(api.as_(new_user).request_upload(new_document())).status(200).object()["job_id"] for _ in range(2)}
    pages = [expect(api.as_(new_user).call("jobs", params={"limit": 1, "offset": n})).status(200) for n in range(3)]
    found = [job_ids(page) for page in pages]
    expect([len(page) for page in found], "jobs on each page of one, of a user with two uploads").equals([1, 1, 0])
    expect({job for page in found for job in page}, "jobs on all pages").equals(sent)


def test_a_listing_is_filtered_by_state(api: Api, policy: DocumentRun, spec: Specification) -> None:
    """contract GET …/jobs: state."""
    for state, wanted in ((spec.pipeline.final_state, [policy.job_id]), (spec.pipeline.failed_state, [])):
        reply = expect(api.as_(policy.owner).call("jobs", params={"state": state})).status(200)
        expect(job_ids(reply), f"jobs in state {state} of a user with one finished job").equals(wanted)


@pytest.mark.parametrize("query", [{"limit": -1}, {"limit": "many"}, {"offset": -1}, {"state": "nonsense"}], ids=str)
def test_a_malformed_listing_is_refused(api: Api, user: User, query: dict[str, object]) -> None:
    """contract GET …/jobs: 422."""
    expect(api.as_(user).call("jobs", params=query)).status(422, 400)


def test_the_document_status_can_be_read(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract GET /documents/{document_id}/status: the owner sees the status (F07)."""
    body = expect(api.as_(new_user).request_upload(new_document())).status(200).object()
    expect(api.as_(new_user).call("document_status", at={"document_id": body["document_id"]})).status(200).object()


@pytest.mark.parametrize("endpoint", ["job", "retry"])
def test_an_unknown_job_is_not_found(api: Api, user: User, endpoint: str) -> None:
    """contract GET, POST …/jobs/{job_id}: 404."""
    expect(api.as_(user).call(endpoint, at={"job_id": NOBODY})).status(404)


def test_an_unknown_document_is_not_found(api: Api, user: User) -> None:
    """contract GET /documents/{document_id}/status: 404."""
    expect(api.as_(user).call("document_status", at={"document_id": NOBODY})).status(404)


def test_a_running_job_cannot_be_retried(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract POST …/retry: 409 when not retryable."""
    job_id = expect(api.as_(new_user).request_upload(new_document())).status(200).object()["job_id"]
    expect(api.as_(new_user).call("retry", at={"job_id": job_id})).status(409)


def test_a_failed_job_can_be_retried(
    api: Api, new_user: User, new_document: NewDocument, database: Database, spec: Specification
) -> None:
    """contract POST …/retry: 200 for the owner of a dead job, which waits for the worker again."""
    document = new_document()
    accepted = expect(api.as_(new_user).request_upload(document)).status(200).object()
    job_id = accepted["job_id"]
    database.bury_job(job_id)
    expect(api.send(api.absolute(accepted["signed_url"]), document.body)).status(200, 201)
    expect(api.as_(new_user).call("retry", at={"job_id": job_id})).status(200)
    state = database.settled_job(job_id)["state"]
    expect(state, "state of a dead job after its retry").differs_from(spec.pipeline.failed_state)


def test_the_finished_job_is_shown_as_finished(api: Api, policy: DocumentRun, spec: Specification) -> None:
    """contract GET …/jobs/{job_id}: status complete, state done."""
    job = expect(api.as_(policy.owner).call("job", at={"job_id": policy.job_id})).status(200).object()
    expect((job["status"], job["state"]), "status and state").equals((spec.pipeline.final_status, spec.pipeline.final_state))


def test_the_failed_job_is_shown_with_its_reason(api: Api, document_runs: DocumentRuns) -> None:
    """contract GET …/jobs/{job_id}: a failed job shows last_error."""
    failed = document_runs.accepted("no_text")
    job = expect(api.as_(failed.owner).call("job", at={"job_id": failed.job_id})).status(200).object()
    expect(str(job["status"]), "status of a document without text").matches(r"failed_\w+")
    expect(job["last_error"], "last_error of the failed job").is_not_empty()


# ── webhook ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_webhook_refuses_a_missing_signature(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 401 missing signature."""
    job_id = expect(api.as_(new_user).request_upload(new_document())).status(200).object()["job_id"]
    expect(api.call("webhook", at={"job_id": job_id}, json={"status": "completed"})).status(401)


def test_the_webhook_refuses_a_wrong_signature(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 401 wrong signature."""
    job_id = expect(api.as_(new_user).request_upload(new_document())).status(200).object()["job_id"]
    expect(api.call("webhook", at={"job_id": job_id}, **signed({"status": "completed"}, "not the secret"))).status(401)


def test_the_webhook_does_not_know_an_unknown_job(api: Api) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 404 unknown job."""
    expect(api.call("webhook", at={"job_id": NOBODY}, **signed({"status": "completed"}, "x"))).status(404)


@pytest.mark.resilience
def test_the_webhook_acknowledges_a_rightly_signed_repeat(api: Api, policy: DocumentRun, database: Database) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 200 for the right signature; a repeat harms nothing."""
    secret = database.webhook_secret(policy.job_id)
    before = database.job(policy.job_id)
    expect(api.call("webhook", at={"job_id": policy.job_id}, **signed({"status": "completed"}, secret))).status(200)
    after = database.job(policy.job_id)
    expect(after["status"] if after else None, "status after a repeated callback").equals(before["status"] if before else "")


# ── chat ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("endpoint", ["chat", "chat_alias"])
def test_chat_answers(api: Api, policy: DocumentRun, spec: Specification, endpoint: str) -> None:
    """contract POST /api/chat, /chat: 200 with text, sources and metadata."""
    reply = expect(api.as_(policy.owner).ask(policy.facts[0][0], endpoint)).status(200)
    body = expect(reply).fields(*spec.endpoint("chat").fields)
    age = abs((datetime.now(UTC) - moment(body["timestamp"])).total_seconds())
    expect(age, "age of the answer by its timestamp, in seconds").is_at_most(spec.health.clock_skew_seconds + reply.seconds)


def test_chat_keeps_the_conversation(api: Api, policy: DocumentRun) -> None:
    """contract POST /api/chat: the conversation id is kept."""
    conversation = str(uuid.uuid4())
    body = expect(api.as_(policy.owner).ask(policy.facts[0][0], conversation_id=conversation)).status(200).object()
    expect(body.get("conversation_id"), "conversation_id").equals(conversation)


@pytest.mark.parametrize("message", ["", "   "], ids=["empty", "blank"])
def test_chat_refuses_an_empty_message(api: Api, user: User, message: str) -> None:
    """contract POST /api/chat: 400 empty message."""
    expect(api.as_(user).ask(message)).status(400, 422)


@pytest.mark.parametrize("name", BEARER)
def test_the_endpoint_wants_a_token(api: Api, name: str) -> None:
    """contract HTTP API: 401 without a token, never 200 and never 500 (F22)."""
    at = {"job_id": NOBODY, "document_id": NOBODY, "bucket": "files", "key": "x.pdf"}
    expect(api.call(name, at=at, json={})).status(401, because="nobody is signed in")
