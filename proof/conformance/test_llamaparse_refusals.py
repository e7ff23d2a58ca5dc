"""LlamaParse: what is refused, cancelled and deleted, and documents that cannot be read."""

from __future__ import annotations

import time

import httpx
import llama_cloud
import pytest
from llama_cloud import LlamaCloud
from llama_cloud._polling import PollingError

from proof.conformance.clients import Clients
from proof.conformance.llamaparse_documents import FAST, TIER, job
from proof.conformance.llamaparse_fixtures import client, first_version
from proof.conformance.marks import operation, writes

__all__ = ["client"]
UNKNOWN = "pjb-00000000-0000-4000-8000-000000000000"


@operation("LlamaParse", "parse a file that does not exist")
def test_an_unknown_file_is_not_found(client: LlamaCloud) -> None:
    with pytest.raises(llama_cloud.NotFoundError) as refused:
        client.parsing.create(file_id="dfl-00000000-0000-4000-8000-000000000000", **TIER)
    assert refused.value.status_code == 404


@operation("LlamaParse", "parse neither a file nor a URL")
def test_a_document_is_required(client: LlamaCloud) -> None:
    with pytest.raises(llama_cloud.APIStatusError) as refused:
        client.parsing.create(**TIER)
    assert refused.value.status_code in (400, 422)


@operation("LlamaParse", "parse with an unknown tier or version")
@pytest.mark.parametrize("wrong", [{"tier": "golden"}, {"version": "1999-01-01"}])
def test_an_unknown_tier_is_refused(client: LlamaCloud, wrong: dict[str, str]) -> None:
    with pytest.raises(llama_cloud.UnprocessableEntityError) as refused:
        job(client, "policy.pdf", "One page.", **wrong)
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["detail"]


@operation("LlamaParse", "what is wrong with a request, as a list")
def test_a_refusal_names_the_field(clients: Clients) -> None:
    with first_version(clients, "/api/v2") as http:
        reply = http.post("/parse", json={"version": "latest", "file_id": "x"})
    assert reply.status_code == 422
    assert {"type", "loc", "msg"} <= set(reply.json()["detail"][0])
    assert "tier" in reply.json()["detail"][0]["loc"]


@operation("LlamaParse", "parse a broken document")
@writes
def test_a_broken_document_fails(client: LlamaCloud) -> None:
    made = client.parsing.create(upload_file=("broken.pdf", b"%PDF-1.7 broken", "application/pdf"), **TIER)
    with pytest.raises(PollingError):
        client.parsing.wait_for_completion(made.id, **FAST)
    found = client.parsing.get(made.id, expand=["markdown"])
    assert found.job.status == "FAILED"
    assert found.job.error_message
    assert found.markdown is None


@operation("LlamaParse", "ask with a wrong key")
def test_a_wrong_key_is_refused(clients: Clients) -> None:
    with pytest.raises(llama_cloud.AuthenticationError) as refused:
        clients.llama_cloud("llx-wrong").parsing.list_versions()
    assert refused.value.status_code == 401
    assert isinstance(refused.value.body, dict)
    assert isinstance(refused.value.body["detail"], str)


@operation("LlamaParse", "get an unknown job")
def test_an_unknown_job_is_not_found(client: LlamaCloud) -> None:
    with pytest.raises(llama_cloud.NotFoundError):
        client.parsing.get(UNKNOWN)


@operation("LlamaParse", "get a job with an unknown expand")
@writes
def test_an_unknown_expand_is_refused(client: LlamaCloud) -> None:
    made = job(client, "policy.pdf", "One page.")
    with pytest.raises(llama_cloud.APIStatusError) as refused:
        client.parsing.get(made.id, expand=["poem"])
    assert refused.value.status_code in (400, 422)


@operation("LlamaParse", "cancel a job, and one that has ended")
@writes
def test_a_running_job_is_cancelled(client: LlamaCloud) -> None:
    made = job(client, "policy.pdf", f"Cancelled {time.time()}.")
    assert client.parsing.cancel(made.id).status == "CANCELLED"
    assert client.parsing.get(made.id).job.status == "CANCELLED"
    with pytest.raises(llama_cloud.APIStatusError) as refused:
        client.parsing.cancel(made.id)
    assert 400 <= refused.value.status_code < 500


@operation("LlamaParse", "delete a job")
@writes
def test_a_deleted_job_is_gone(client: LlamaCloud) -> None:
    made = job(client, "policy.pdf", "Deleted.")
    client.parsing.wait_for_completion(made.id, **FAST)
    assert client.parsing.delete(made.id).id == made.id
    with pytest.raises(llama_cloud.NotFoundError):
        client.parsing.get(made.id)


@operation("LlamaParse", "the first version: refusals")
def test_the_first_version_refuses(clients: Clients) -> None:
    with first_version(clients) as http:
        assert http.get("/job/00000000-0000-4000-8000-000000000000").status_code == 404
        missing = http.post("/upload", data={"result_type": "markdown"})
        assert missing.status_code in (400, 422)
    assert httpx.post(f"{clients.urls.llamaparse}/api/parsing/upload", timeout=20).status_code == 401
