"""LlamaParse: files, projects, saved settings, and webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import llama_cloud
import pytest
from llama_cloud import LlamaCloud

from proof.conformance.clients import Clients
from proof.conformance.llamaparse_documents import FAST, TIER, job, pdf, text_of, upload
from proof.conformance.llamaparse_fixtures import client
from proof.conformance.marks import operation, writes
from proof.conformance.receiver import receiving

__all__ = ["client"]
ENDS: list[Any] = ["parse.success", "parse.error"]


@pytest.fixture
def near(clients: Clients) -> None:
    """Skips where the target cannot reach this machine."""
    if "://localhost" not in clients.urls.llamaparse:
        pytest.skip("the vendor cannot reach this machine")


@pytest.fixture
def file(clients: Clients, client: LlamaCloud) -> Iterator[Any]:
    """A stored file of this case alone."""
    made = client.files.create(
        file=upload(f"{clients.tag}.pdf", "Stored."), purpose="parse", external_file_id=f"{clients.tag}-{secrets.token_hex(3)}"
    )
    yield made
    try:
        client.files.delete(made.id)
    except llama_cloud.NotFoundError:
        return


@operation("LlamaParse", "store and read a file")
@writes
def test_a_file_is_described(clients: Clients, client: LlamaCloud, file: Any) -> None:
    found = client.files.retrieve(file.id)
    assert (found.id, found.name, found.file_type) == (file.id, f"{clients.tag}.pdf", "pdf")
    assert found.external_file_id == file.external_file_id


@operation("LlamaParse", "the content of a file")
@writes
def test_the_content_is_behind_a_url(client: LlamaCloud, file: Any) -> None:
    given = client.files.content(file.id)
    assert httpx.get(given.url, timeout=20).content.startswith(b"%PDF-")
    assert httpx.get(given.url.replace("signature=", "signature=0", 1), timeout=20).status_code in (400, 403)


@operation("LlamaParse", "list files by filter and page by page")
@writes
def test_files_are_listed(client: LlamaCloud, file: Any) -> None:
    other = client.files.create(file=upload("other.pdf", "Other."), purpose="parse")
    try:
        assert [f.id for f in client.files.list(external_file_id=file.external_file_id)] == [file.id]
        both = [file.id, other.id]
        first = client.files.list(file_ids=both, page_size=1)
        assert len(first.items) == 1
        assert sorted(f.id for f in client.files.list(file_ids=both, page_size=1)) == sorted(both)
    finally:
        client.files.delete(other.id)


@operation("LlamaParse", "list files with a size out of bounds")
def test_a_page_is_bounded(client: LlamaCloud) -> None:
    with pytest.raises(llama_cloud.UnprocessableEntityError):
        client.files.list(page_size=1001)


@operation("LlamaParse", "delete a file")
@writes
def test_a_deleted_file_is_gone(client: LlamaCloud, file: Any) -> None:
    client.files.delete(file.id)
    with pytest.raises(llama_cloud.NotFoundError):
        client.files.retrieve(file.id)
    with pytest.raises(llama_cloud.NotFoundError):
        client.files.delete(file.id)


@operation("LlamaParse", "store a file for an unknown purpose")
def test_an_unknown_purpose_is_refused(client: LlamaCloud) -> None:
    with pytest.raises(llama_cloud.APIStatusError) as refused:
        client.files.create(file=upload("a.pdf", "A."), purpose="poetry")
    assert refused.value.status_code in (400, 422)


@operation("LlamaParse", "list and get projects")
def test_the_project_of_the_key(client: LlamaCloud) -> None:
    found = client.projects.list()
    assert found
    assert client.projects.get(found[0].id).name == found[0].name
    assert client.v2_projects.get(found[0].id).organization_id == found[0].organization_id
    with pytest.raises(llama_cloud.APIStatusError) as refused:
        client.projects.get("00000000-0000-4000-8000-00000000ffff")
    assert refused.value.status_code in (401, 403, 404)


@operation("LlamaParse", "save, change, list and delete a webhook")
@writes
def test_a_saved_webhook_never_shows_its_secret(client: LlamaCloud) -> None:
    secret = secrets.token_hex(16)
    made = client.webhook_configs.create(
        webhook_url="https://example.com/hook", webhook_events=ENDS, webhook_signing_secret=secret
    )
    try:
        assert made.has_secret
        assert secret not in made.to_json()
        changed = client.webhook_configs.update(made.id, webhook_url="https://example.com/other")
        assert (changed.webhook_url, changed.webhook_events) == ("https://example.com/other", ENDS)
        assert made.id in [each.id for each in client.webhook_configs.list_paginated(page_size=10)]
    finally:
        client.webhook_configs.delete(made.id)
    with pytest.raises(llama_cloud.NotFoundError):
        client.webhook_configs.retrieve(made.id)


@operation("LlamaParse", "save a webhook without events")
def test_a_webhook_of_no_events_is_refused(client: LlamaCloud) -> None:
    with pytest.raises(llama_cloud.UnprocessableEntityError):
        client.webhook_configs.create(webhook_url="https://example.com/hook", webhook_events=[])


@operation("LlamaParse", "a saved configuration")
@writes
def test_a_saved_configuration_completes_a_request(clients: Clients, client: LlamaCloud, file: Any) -> None:
    parameters: Any = {"product_type": "parse_v2", "page_ranges": {"max_pages": 1}} | TIER
    made = client.configurations.create(name=clients.tag, parameters=parameters)
    try:
        job_id = client.parsing.create(file_id=file.id, configuration_id=made.id, tier="configured", version="configured").id
        client.parsing.wait_for_completion(job_id, **FAST)
        assert client.parsing.get(job_id).job.tier == TIER["tier"]
    finally:
        client.configurations.delete(made.id)


@operation("LlamaParse", "a signed webhook of a job")
@writes
@pytest.mark.usefixtures("near")
def test_a_webhook_is_signed_with_the_secret(client: LlamaCloud) -> None:
    secret = secrets.token_hex(16)
    with receiving() as receiver:
        hook: Any = {
            "webhook_url": receiver.url,
            "webhook_events": ENDS,
            "webhook_headers": {"X-Own": "kept"},
            "webhook_output_format": "json",
            "webhook_signing_secret": secret,
        }
        made = job(client, "hook.pdf", "Told.", webhook_configurations=[hook])
        delivery = receiver.wait_for(1)[0]
    signature = hmac.new(secret.encode(), delivery.body, hashlib.sha256).hexdigest()
    assert delivery.headers["lc-signature"] == f"sha256={signature}"
    assert delivery.headers["x-own"] == "kept"
    assert delivery.payload()["event_type"] == "parse.success"
    assert delivery.payload()["data"]["job_id"] == made.id
    assert secret.encode() not in delivery.body


@operation("LlamaParse", "an unsigned webhook, as a string, for every event")
@writes
@pytest.mark.usefixtures("near")
def test_a_webhook_without_a_secret_is_not_signed(client: LlamaCloud) -> None:
    with receiving() as receiver:
        job(client, "hook.pdf", "Told.", webhook_configurations=[{"webhook_url": receiver.url}])
        deliveries = receiver.wait_for(3)
    assert not any("lc-signature" in each.headers for each in deliveries)
    events = [json.loads(each.payload())["event_type"] for each in deliveries]
    assert events == ["parse.pending", "parse.running", "parse.success"]


@operation("LlamaParse", "a webhook that is answered with an error")
@writes
@pytest.mark.usefixtures("near")
def test_a_webhook_is_repeated_after_an_error(client: LlamaCloud) -> None:
    hook: Any = {"webhook_events": ["parse.success"], "webhook_output_format": "json"}
    with receiving(503, 503) as receiver:
        job(client, "hook.pdf", "Told again.", webhook_configurations=[hook | {"webhook_url": receiver.url}])
        deliveries = receiver.wait_for(3)
    assert len({each.payload()["event_id"] for each in deliveries}) == 1


@operation("LlamaParse", "the first version: callback of a job")
@writes
@pytest.mark.usefixtures("near")
@pytest.mark.parametrize("body", [pdf("Called back."), b"%PDF-1.7 broken"], ids=["parsed", "broken"])
def test_the_first_version_calls_back(clients: Clients, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {clients.keys.llamaparse}"}
    with receiving() as receiver:
        sent = {"webhook_url": receiver.url, "webhook_secret": "shared"}
        files = {"file": ("hook.pdf", body, "application/pdf")}
        httpx.post(f"{clients.urls.llamaparse}/api/parsing/upload", headers=headers, data=sent, files=files, timeout=20)
        delivery = receiver.wait_for(1)[0]
    assert delivery.headers["x-webhook-signature"] == hmac.new(b"shared", delivery.body, hashlib.sha256).hexdigest()
    payload = delivery.payload()
    if body.endswith(b"broken"):
        assert payload["status"] == "failed"
        assert payload["error"]
    else:
        assert payload["status"] == "completed"
        assert "Called back" in payload["result"]["md"]


@operation("LlamaParse", "parse what a URL gives")
@writes
@pytest.mark.usefixtures("near")
def test_a_url_is_parsed(client: LlamaCloud, file: Any) -> None:
    url = client.files.content(file.id).url
    made = client.parsing.create(source_url=url, **TIER)
    assert made.status in ("PENDING", "RUNNING")


@operation("LlamaParse", "text of a result in one piece")
@writes
def test_the_whole_text_in_one_piece(client: LlamaCloud) -> None:
    given = upload("whole.pdf", "Left.", "Right.")
    result = client.parsing.parse(upload_file=given, expand=["markdown", "markdown_full", "text_full"], **TIER, **FAST)
    assert result.markdown_full is not None
    assert result.text_full is not None
    assert all(word in result.markdown_full and word in result.text_full for word in ("Left.", "Right."))
    assert "Left." in text_of(result)
