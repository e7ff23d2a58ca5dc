"""8.2.2 Test API endpoints functionality: the webhook (contract: HTTP API)."""

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
from spec import Specification

NewDocument = Callable[[], Document]
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    pytest.mark.about("webhook.unsigned"),
    promised("pipeline"),
]


def test_the_webhook_refuses_a_missing_signature(
    api: Api, new_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 401 for a missing signature."""
    job_id = expect(api.as_(new_user).request_upload(new_document())).success().object()["job_id"]
    expect(api.call("webhook", at={"job_id": job_id}, json=spec.webhook.completed)).error("unauthorized")


def test_the_webhook_refuses_a_wrong_signature(
    api: Api, new_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 401 for a wrong signature."""
    job_id = expect(api.as_(new_user).request_upload(new_document())).success().object()["job_id"]
    expect(api.call("webhook", at={"job_id": job_id}, **signed(spec.webhook, spec.probes.wrong_key))).error("unauthorized")


def test_the_webhook_does_not_know_an_unknown_job(api: Api, spec: Specification) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 404 for an unknown job."""
    callback = signed(spec.webhook, spec.probes.wrong_key)
    expect(api.call("webhook", at={"job_id": spec.probes.unknown_id}, **callback)).error("unknown")


@pytest.mark.resilience
@pytest.mark.about("webhook.refused")
def test_the_webhook_acknowledges_a_rightly_signed_repeat(
    api: Api, policy: DocumentRun, pipeline: Pipeline, spec: Specification
) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 200 for the right signature; a repeat harms nothing."""
    secret = pipeline.webhook_secret(policy.job_id)
    before = pipeline.existing_job(policy.job_id)["status"]
    expect(api.call("webhook", at={"job_id": policy.job_id}, **signed(spec.webhook, secret))).success()
    after = pipeline.existing_job(policy.job_id)["status"]
    column = f"column {spec.pipeline.jobs_table}.status"
    expect(after, "status after a repeated callback", code="job.state", subject=column).equals(before)
