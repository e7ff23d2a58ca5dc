"""8.2.2 Test API endpoints functionality: every endpoint (contract: HTTP API)."""

import pytest

from fixtures.api import Api, paths_in, shape
from fixtures.violations import without_right_token
from gate.http import expect
from gate.selection import each, promised
from spec import Specification, entries
from spec.model import Case

JSON = r"application/([\w.-]+\+)?json\b.*"
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
]


@each("name", entries.open_reads)
def test_the_open_endpoint_answers(api: Api, spec: Specification, name: str) -> None:
    """contract HTTP API: each open endpoint answers without a token, and with one that is none (F07)."""
    endpoint = spec.endpoint(name)
    asked = api.as_(spec.probes.wrong_token).call(name)
    expect(asked, refused="http.refused").success("it asks for no token, so that none is a wrong one")
    reply = expect(api.call(name)).success()
    if endpoint.fields:
        expect(reply).fields(*endpoint.fields)
        expect(reply).header("Content-Type").matches(JSON)


@promised("endpoints.openapi")
@pytest.mark.about("route.missing")
@each("name", entries.described)
def test_the_endpoint_is_described(api: Api, spec: Specification, name: str) -> None:
    """contract HTTP API: each endpoint of the release is there: openapi.json describes it, or a request reaches it (F07)."""
    endpoint = spec.endpoint(name)
    reply = api.call("openapi")
    described = {shape(path): methods for path, methods in paths_in(reply).items()}
    known = [method.upper() for method in described.get(shape(endpoint.path), {})]
    is_reached = endpoint.method not in known and spec.readings.undescribed and not api.call_unknown(name).without_route
    found = [*known, *([endpoint.method] if is_reached else [])]
    what, hint = f"methods of {endpoint.path} in openapi.json", "the live commit: is it the release?"
    expect(found, what, hint, subject=endpoint.subject, of=reply).contains(endpoint.method)


@promised("pipeline")
@pytest.mark.about("http.header")
def test_a_method_that_no_endpoint_has_is_refused_in_json(api: Api, spec: Specification) -> None:
    """contract HTTP API ("JSON unless said"): a refusal by the framework has a body as any other refusal."""
    for name in entries.described(spec):
        reply = api.call_unused(name)
        subject = f"endpoint {spec.probes.unused_method} {spec.endpoint(name).path}"
        refused = expect(reply.is_refusal, f"refusal of {subject}", code="http.status", subject=subject, of=reply)
        refused.satisfies(bool, "to be one")
        if reply.own and reply.body:
            expect(reply, subject=subject).header("Content-Type").matches(JSON)


@pytest.mark.about("endpoint.open")
@each("name", entries.bearer)
def test_the_endpoint_wants_a_token(api: Api, spec: Specification, name: str) -> None:
    """contract HTTP API: 401 without a token, never 200 and never 500 (F22)."""
    reply = api.call_unknown(name)
    without_right_token(reply, spec, "endpoint.open").error("unauthorized", because="no token was sent")


@each("case", entries.cases)
def test_the_case_is_answered_as_agreed(api: Api, caller_token: str, spec: Specification, case: Case) -> None:
    """contract HTTP API: a request of this kind gets a status that is right for it."""
    caller = api if case.caller == "anonymous" else api.as_(caller_token)
    statuses = spec.endpoint(case.endpoint).statuses(case.answer)
    reply = expect(caller.ask_case(case)).status(*statuses, because=case.promise.split(": ", 1)[-1])
    fields = spec.endpoint(case.endpoint).fields if case.answer == "success" else []
    if fields:
        expect(reply).fields(*fields)
