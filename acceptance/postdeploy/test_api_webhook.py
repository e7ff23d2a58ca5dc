"""8.2.2 Test API endpoints functionality: the webhook (contract: HTTP API)."""

import uuid
from collections.abc import Callable

import pytest

from fixtures.api import Api
from fixtures.document_run import DocumentRun
from fixtures.documents import Document
from fixtures.pipeline import Pipeline
from fixtures.users import User
from fixtures.webhooks import signed
from gate.http import expect
from gate.selection import promised

NewDocument = Callable[[], Document]
NOBODY = str(uuid.UUID(int=0))
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    promised("pipeline"),
]


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
def test_the_webhook_acknowledges_a_rightly_signed_repeat(api: Api, policy: DocumentRun, pipeline: Pipeline) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 200 for the right signature; a repeat harms nothing."""
    secret = pipeline.webhook_secret(policy.job_id)
    before = pipeline.job(policy.job_id)
    expect(api.call("webhook", at={"job_id": policy.job_id}, **signed({"status": "completed"}, secret))).status(200)
    after = pipeline.job(policy.job_id)
    expect(after["status"] if after else None, "status after a repeated callback").equals(before["status"] if before else "")
