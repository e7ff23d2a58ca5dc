"""8.3.1 Measure API response times (contract: Response-time targets; §5 Response Time)."""

from collections.abc import Callable

import pytest

from fixtures.api import Api
from fixtures.documents import Document
from gate.http import expect
from fixtures.document_runs import DocumentRun
from fixtures.measure import Measure
from fixtures.users import User, Users
from spec import Specification, current

SPEC = current()
QUICK = ["health", "status", "limits"]
PLAIN = ["root", "health_head", "openapi"]
pytestmark = [
    pytest.mark.performance,
    pytest.mark.checklist("8.3.1"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
]


@pytest.mark.parametrize("endpoint", QUICK)
def test_the_quick_endpoint_holds_its_target(api: Api, measure: Measure, spec: Specification, endpoint: str) -> None:
    """contract Response-time targets: health, status and limits, p95."""
    samples = measure.requests(api, endpoint, measure.samples_for(spec.targets[endpoint]), endpoint)
    measure.hold(samples, endpoint, "api")


@pytest.mark.parametrize("endpoint", PLAIN)
def test_the_plain_endpoint_holds_its_target(api: Api, measure: Measure, spec: Specification, endpoint: str) -> None:
    """contract Response-time targets: any endpoint without an external call, p95."""
    samples = measure.requests(api, endpoint, measure.samples_for(spec.targets["endpoint"]), "endpoint")
    measure.hold(samples, "endpoint", "api")


def test_the_profile_holds_its_target(api: Api, user: User, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: /me, p95."""
    measure.hold(measure.requests(api.as_(user), "me", measure.samples_for(spec.targets["me"]), "me"), "me", "api")


def test_the_job_list_holds_its_target(api: Api, user: User, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: any endpoint without an external call, p95."""
    samples = measure.requests(api.as_(user), "jobs", measure.samples_for(spec.targets["endpoint"]), "endpoint")
    measure.hold(samples, "endpoint", "api")


def test_the_document_status_holds_its_target(api: Api, policy: DocumentRun, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: status endpoints, p95."""
    at = {"document_id": policy.document_id}
    count = measure.samples_for(spec.targets["status"])
    measure.hold(measure.requests(api.as_(policy.owner), "document_status", count, "status", at=at), "status", "api")


def test_signing_in_holds_its_target(api: Api, user: User, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: any endpoint without an external call, p95."""
    body = {"email": user.email, "password": user.password}
    samples = measure.requests(api, "login", measure.samples_for(spec.targets["login"], costly=True), "login", json=body)
    measure.hold(samples, "login", "api")


def test_a_refusal_is_as_quick(api: Api, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: a refused token costs no more than an accepted one, p95."""
    samples = measure.requests(
        api.as_("not-a-token"), "me", measure.samples_for(spec.targets["endpoint"]), "endpoint", status=401
    )
    measure.hold(samples, "endpoint", "api")


def test_the_upload_request_holds_its_target(
    api: Api, users: Users, new_document: Callable[[], Document], measure: Measure, spec: Specification
) -> None:
    """contract Response-time targets: POST …/upload, p95."""

    def one() -> float:
        user = users.new("upload")
        return expect(api.as_(user).silent().request_upload(new_document())).status(200).seconds

    count = measure.samples_for(spec.targets["upload"], costly=True)
    measure.hold(measure.take("POST upload", one, count, "upload"), "upload", "api")


@pytest.mark.component("chat")
def test_chat_holds_its_target(api: Api, policy: DocumentRun, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: chat, mean and p95 (F30)."""
    question = policy.facts[0][0]

    def one() -> float:
        return expect(api.as_(policy.owner).silent().ask(question)).status(200).seconds

    count = measure.samples_for(spec.targets["chat"], costly=True)
    measure.hold(measure.take("POST chat", one, count, "chat"), "chat", "chat")


def test_the_process_time_is_told_truly(api: Api, measure: Measure, spec: Specification) -> None:
    """§5 Response Time: X-Process-Time is no longer than what the client sees."""
    reply = api.call("status")
    told = float(expect(reply).status(200).headers.get(spec.monitoring.process_time_header, "-1"))
    expect(told, f"{spec.monitoring.process_time_header} in seconds").is_at_least(0)
    expect(told, f"{spec.monitoring.process_time_header} in seconds").is_at_most(reply.seconds)


def test_parallel_requests_are_all_answered(api: Api, user: User, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: error rate 0 at 20 parallel requests (F18)."""
    statuses = api.as_(user).at_once("me", spec.database.connections)
    expect([s for s in statuses if s != 200], f"failures of {len(statuses)} parallel requests").is_empty()


def test_parallel_requests_hold_the_target(api: Api, policy: DocumentRun, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: 20 parallel requests that use the database neither fail nor stall (F18)."""
    at = {"document_id": policy.document_id}
    rounds = measure.rounds_at_once(api.as_(policy.owner), "document_status", spec.database.connections, at)
    measure.hold(rounds, "parallel_round", "api")
