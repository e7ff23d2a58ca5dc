"""8.2.2 Test API endpoints functionality: every endpoint (contract: HTTP API)."""

import uuid
from collections.abc import Callable

import pytest

from fixtures.api import Api, shape
from fixtures.documents import Document
from gate.http import expect
from gate.selection import each
from spec import Specification, entries
from spec.model import Case

NewDocument = Callable[[], Document]
NOBODY = str(uuid.UUID(int=0))
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
]


@each("name", entries.open_reads)
def test_the_open_endpoint_answers(api: Api, spec: Specification, name: str) -> None:
    """contract HTTP API: each open endpoint answers without a token (F07)."""
    endpoint = spec.endpoint(name)
    reply = expect(api.call(name)).status(endpoint.success)
    if endpoint.fields:
        expect(reply).fields(*endpoint.fields)
        expect(reply).header("Content-Type").matches(r"application/([\w.-]+\+)?json\b.*")


@each("name", entries.described)
def test_the_endpoint_is_described(api: Api, spec: Specification, name: str) -> None:
    """contract HTTP API: GET /openapi.json describes each endpoint of the release (F07)."""
    endpoint = spec.endpoint(name)
    described = {shape(path): methods for path, methods in api.call("openapi").object()["paths"].items()}
    known = [method.upper() for method in described.get(shape(endpoint.path), {})]
    expect(known, f"methods of {endpoint.path} in openapi.json", "the live commit: is it the release?").contains(
        endpoint.method
    )


@each("name", entries.bearer)
def test_the_endpoint_wants_a_token(api: Api, name: str) -> None:
    """contract HTTP API: 401 without a token, never 200 and never 500 (F22)."""
    at = {"job_id": NOBODY, "document_id": NOBODY, "bucket": "files", "key": "x.pdf"}
    expect(api.call(name, at=at, json={})).status(401, because="nobody is signed in")


@each("case", entries.cases)
def test_the_case_is_answered_as_agreed(api: Api, caller_token: str, case: Case) -> None:
    """contract HTTP API: a request of this kind gets a status that is right for it."""
    caller = api if case.caller == "nobody" else api.as_(caller_token)
    reply = expect(caller.ask_case(case)).status(*case.status, because=case.promise)
    expect(api.missing_fields(reply, case.fields), f"fields missing in the answer to {case.name}").is_empty()
