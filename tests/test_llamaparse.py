"""The double's callbacks are those of the contract, whichever way a job came."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from twin.doubles.llamaparse.callbacks import request_of, wants
from twin.doubles.llamaparse.jobs import COMPLETED, FAILED, RUNNING, Job

HOOK: dict[str, Any] = {
    "webhook_url": "https://api.test/hook",
    "webhook_signing_secret": "shared",
    "webhook_output_format": "json",
}


def a_job(status: str) -> Job:
    """A job in this state."""
    pages = [(1, "First."), (2, "Second.")] if status == COMPLETED else None
    return Job("a.pdf", b"", "project", status=status, pages=pages, error="" if pages else "broken")


@pytest.mark.parametrize("hook", [HOOK | {"first_version": True}, HOOK], ids=["first version", "second version"])
def test_a_callback_is_the_contracts(hook: dict[str, Any]) -> None:
    body, headers = request_of(a_job(COMPLETED), hook, "")
    assert headers["X-Webhook-Signature"] == hmac.new(b"shared", body, hashlib.sha256).hexdigest()
    payload = json.loads(body)
    assert (payload["status"], payload["result"]["md"]) == ("completed", "First.\n\nSecond.")
    failed = json.loads(request_of(a_job(FAILED), hook, "")[0])
    assert (failed["status"], failed["error"]) == ("failed", "broken")


@pytest.mark.parametrize("style", ["md", "txt", "json", "pages"])
def test_a_result_has_the_form_that_is_set(style: str) -> None:
    result = json.loads(request_of(a_job(COMPLETED), HOOK, style)[0])["result"]
    texts = [page["md"] for page in result] if style == "pages" else [result.get("txt") or result["md"]]
    assert "\n\n".join(texts) == "First.\n\nSecond."


def test_without_a_secret_nothing_is_signed() -> None:
    _, headers = request_of(a_job(COMPLETED), {"webhook_url": "https://api.test/hook"}, "")
    assert not {"X-Webhook-Signature", "LC-Signature"} & set(headers)


def test_only_events_that_were_asked_for() -> None:
    hook = HOOK | {"webhook_events": ["parse.success"]}
    assert [wants(hook, a_job(status)) for status in (RUNNING, COMPLETED, FAILED)] == [False, True, False]
    assert wants(HOOK, a_job(RUNNING))
    assert not wants({"first_version": True}, a_job(RUNNING))
