"""8.3.1 Measure API response times (contract: Response-time targets; §5 Response Time)."""

from collections.abc import Callable

import pytest

from fixtures.api import Api
from fixtures.document_run import DocumentRun
from fixtures.documents import Document
from fixtures.measure import Measure, expect_all_succeed
from fixtures.pipeline import Pipeline
from fixtures.process_time import expect_true_process_time
from fixtures.uploads import Accepted
from fixtures.users import User, Users
from gate.http import expect
from gate.selection import each, promised
from spec import Specification, entries

pytestmark = [
    pytest.mark.performance,
    pytest.mark.checklist("8.3.1"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    pytest.mark.about("target.slow"),
]


@each("endpoint", entries.timed_open_endpoints)
def test_the_open_endpoint_holds_its_target(api: Api, measure: Measure, spec: Specification, endpoint: str) -> None:
    """contract Response-time targets: what may be read without a token, p95."""
    target = spec.endpoint(endpoint).held_to
    measure.hold(measure.requests(api, endpoint, measure.samples_for(spec.targets[target]), target), target, "api")


@each("endpoint", entries.timed_own_endpoints)
def test_the_callers_endpoint_holds_its_target(
    api: Api, caller_token: str, measure: Measure, spec: Specification, endpoint: str
) -> None:
    """contract Response-time targets: the caller's own data, p95."""
    target = spec.endpoint(endpoint).held_to
    count = measure.samples_for(spec.targets[target])
    measure.hold(measure.requests(api.as_(caller_token), endpoint, count, target), target, "api")


@promised("pipeline")
def test_the_document_status_holds_its_target(api: Api, policy: DocumentRun, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: status endpoints, p95."""
    at = {"document_id": policy.document_id}
    count = measure.samples_for(spec.targets["status"])
    measure.hold(measure.requests(api.as_(policy.owner), "document_status", count, "status", at=at), "status", "api")


@promised("endpoints.login")
def test_signing_in_holds_its_target(api: Api, user: User, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: any endpoint without an external call, p95."""
    body = {"email": user.email, "password": user.password}
    samples = measure.requests(api, "login", measure.samples_for(spec.targets["login"], costly=True), "login", json=body)
    measure.hold(samples, "login", "api")


@each("endpoint", entries.first_own_read)
def test_a_refusal_is_as_quick(api: Api, measure: Measure, spec: Specification, endpoint: str) -> None:
    """contract Response-time targets: a refused token costs no more than an accepted one, p95."""
    count = measure.samples_for(spec.targets["endpoint"])
    samples = measure.requests(api.as_(spec.probes.wrong_token), endpoint, count, "endpoint", answer="unauthorized")
    measure.hold(samples, "endpoint", "api")


@promised("pipeline")
def test_the_upload_request_holds_its_target(
    api: Api, users: Users, new_document: Callable[[], Document], pipeline: Pipeline, measure: Measure, spec: Specification
) -> None:
    """contract Response-time targets: POST …/upload, p95."""

    def one() -> float:
        user = users.new("upload")
        reply = expect(api.as_(user).silent().request_upload(new_document())).success()
        # A job whose file never comes would keep the worker, and later measurements, waiting.
        pipeline.finish_job(Accepted(reply).job_id)
        return reply.seconds

    count = measure.samples_for(spec.targets["upload"], costly=True)
    measure.hold(measure.take("POST upload", one, count, "upload"), "upload", "api")


@promised("pipeline", "chat")
@pytest.mark.component("chat")
def test_chat_holds_its_target(api: Api, policy: DocumentRun, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: chat, mean and p95 (F30)."""
    question = policy.facts[0][0]

    def one() -> float:
        return expect(api.as_(policy.owner).silent().ask(question)).success().seconds

    count = measure.samples_for(spec.targets["chat"], costly=True)
    measure.hold(measure.take("POST chat", one, count, "chat"), "chat", "chat")


@pytest.mark.about("http.header")
def test_the_process_time_is_true(api: Api, spec: Specification) -> None:
    """§5 Response Time: X-Process-Time is no longer than what the client sees."""
    name = spec.monitoring.process_time_header
    reply = expect(api.call("health")).success()
    expect_true_process_time(reply, name)


@promised("pipeline")
def test_parallel_requests_are_all_answered(api: Api, user: User, spec: Specification) -> None:
    """contract Response-time targets: error rate 0 at 20 parallel requests (F18)."""
    caller = api.as_(user)
    # What fails by itself fails for another reason.
    expect(caller.call("me")).success()
    expect_all_succeed(caller.at_once("me", spec.database.connections), spec.endpoint("me"))


@promised("pipeline")
def test_parallel_requests_hold_the_target(api: Api, policy: DocumentRun, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: 20 parallel requests that use the database neither fail nor stall (F18)."""
    at = {"document_id": policy.document_id}
    rounds = measure.rounds_at_once(api.as_(policy.owner), "document_status", spec.database.connections, at)
    measure.hold(rounds, "parallel_round", "api")
