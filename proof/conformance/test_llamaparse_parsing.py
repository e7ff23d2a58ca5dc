"""LlamaParse: parse jobs by the second version of the API, and the routes of the first that the contract names."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest
from llama_cloud import LlamaCloud

from proof.conformance.clients import Clients
from proof.conformance.llamaparse_documents import FAST, TIER, job, pdf, text_of, upload
from proof.conformance.llamaparse_fixtures import client, first_version
from proof.conformance.marks import operation, writes

__all__ = ["client"]
UNKNOWN = "pjb-00000000-0000-4000-8000-000000000000"


@operation("LlamaParse", "parse an upload and wait for its Markdown")
@writes
def test_an_upload_is_parsed(client: LlamaCloud) -> None:
    given = upload("policy.pdf", "The deductible is $500.", "Call 800-555-0100.")
    result = client.parsing.parse(upload_file=given, expand=["markdown"], **TIER, **FAST)
    assert result.job.status == "COMPLETED"
    assert result.markdown is not None
    assert [page.page_number for page in result.markdown.pages] == [1, 2]
    assert "deductible is $500" in text_of(result)
    assert "800-555-0100" in text_of(result)


@operation("LlamaParse", "parse without waiting, then wait")
@writes
def test_a_job_proceeds_to_its_end(client: LlamaCloud) -> None:
    made = job(client, "policy.pdf", "One page.")
    assert made.status in ("PENDING", "RUNNING")
    assert made.project_id
    assert made.created_at is not None
    assert client.parsing.wait_for_completion(made.id, **FAST).status == "COMPLETED"


@operation("LlamaParse", "every result of a job")
@writes
def test_a_result_has_the_forms_that_are_asked_for(client: LlamaCloud) -> None:
    given = upload("policy.pdf", "# Benefits")
    result = client.parsing.parse(
        upload_file=given, expand=["markdown", "text", "items", "metadata", "job_metadata"], **TIER, **FAST
    )
    assert result.text is not None
    assert "Benefits" in result.text.pages[0].text
    assert result.items is not None
    page = result.items.pages[0]
    assert page.success is True
    assert page.page_width > 0
    assert "Benefits" in "".join(str(getattr(item, "value", "")) for item in page.items)
    assert result.metadata is not None
    assert result.metadata.pages[0].page_number == 1
    assert isinstance(result.job_metadata, dict)


@operation("LlamaParse", "a job without expand")
@writes
def test_results_are_left_out_unless_asked_for(client: LlamaCloud) -> None:
    made = job(client, "policy.pdf", "One page.")
    client.parsing.wait_for_completion(made.id, **FAST)
    found = client.parsing.get(made.id)
    assert found.job.id == made.id
    assert (found.markdown, found.text, found.items, found.metadata, found.job_metadata) == (None,) * 5


@operation("LlamaParse", "presigned URLs of results")
@writes
def test_a_presigned_url_gives_the_result(client: LlamaCloud) -> None:
    given = upload("policy.pdf", "Behind a URL.")
    result = client.parsing.parse(upload_file=given, expand=["markdown_content_metadata"], **TIER, **FAST)
    assert result.result_content_metadata is not None
    stored = result.result_content_metadata["markdown"]
    assert stored.presigned_url
    body = httpx.get(stored.presigned_url, timeout=20)
    assert body.status_code == 200
    assert len(body.content) == stored.size_bytes
    assert "Behind a URL" in body.text


@operation("LlamaParse", "parse chosen pages")
@writes
@pytest.mark.parametrize(("ranges", "numbers"), [({"target_pages": "1,3"}, [1, 3]), ({"max_pages": 2}, [1, 2])])
def test_only_chosen_pages_are_parsed(client: LlamaCloud, ranges: Any, numbers: list[int]) -> None:
    given = upload("policy.pdf", "First.", "Second.", "Third.")
    result = client.parsing.parse(upload_file=given, page_ranges=ranges, expand=["markdown"], **TIER, **FAST)
    assert result.markdown is not None
    assert [page.page_number for page in result.markdown.pages] == numbers


@operation("LlamaParse", "parse a stored file")
@writes
def test_a_stored_file_is_parsed(client: LlamaCloud) -> None:
    file = client.files.create(file=upload("stored.pdf", "From the store."), purpose="parse")
    try:
        result = client.parsing.parse(file_id=file.id, expand=["markdown"], **TIER, **FAST)
        assert "From the store" in text_of(result)
    finally:
        client.files.delete(file.id)


@operation("LlamaParse", "list jobs page by page")
@writes
def test_pages_of_jobs_hold_each_job_once(client: LlamaCloud) -> None:
    made = [job(client, f"{number}.pdf", f"Page {number}.").id for number in range(3)]
    first = client.parsing.list(page_size=1, job_ids=made)
    assert len(first.items) == 1
    assert first.next_page_token
    assert sorted(found.id for found in client.parsing.list(page_size=1, job_ids=made)) == sorted(made)


@operation("LlamaParse", "list jobs by status")
@writes
def test_jobs_are_listed_by_status(client: LlamaCloud) -> None:
    made = job(client, "policy.pdf", "Listed.")
    client.parsing.wait_for_completion(made.id, **FAST)
    assert made.id in [found.id for found in client.parsing.list(status="COMPLETED", page_size=100).items]
    assert made.id not in [found.id for found in client.parsing.list(status="FAILED", page_size=100).items]


@operation("LlamaParse", "versions of each tier")
def test_latest_is_one_of_the_versions(client: LlamaCloud) -> None:
    found = client.parsing.list_versions()
    for tier in ("fast", "cost_effective", "agentic", "agentic_plus"):
        assert getattr(found.latest, tier) in getattr(found, tier)


@operation("LlamaParse", "tags of a job")
@writes
def test_tags_are_returned(client: LlamaCloud) -> None:
    file = client.files.create(file=upload("tagged.pdf", "Tagged."), purpose="parse")
    made = client.parsing.create(file_id=file.id, user_metadata={"claim": "7"}, **TIER)
    assert client.parsing.get(made.id).job.user_metadata == {"claim": "7"}
    client.files.delete(file.id)


@operation("LlamaParse", "the same document twice")
@writes
def test_the_same_document_twice_is_two_jobs(client: LlamaCloud) -> None:
    given = upload("twice.pdf", "Twice.")
    first, second = (client.parsing.parse(upload_file=given, expand=["markdown"], **TIER, **FAST) for _ in range(2))
    assert first.job.id != second.job.id
    assert text_of(first) == text_of(second)


@operation("LlamaParse", "parse with the asynchronous client")
@writes
def test_the_asynchronous_client_parses(clients: Clients) -> None:
    async def parsed() -> Any:
        async with clients.llama_cloud_async() as client:
            given = upload("async.pdf", "Not waiting in line.")
            return await client.parsing.parse(upload_file=given, expand=["markdown"], **TIER, **FAST)

    assert "Not waiting" in text_of(asyncio.run(parsed()))


@operation("LlamaParse", "the first version: upload, state and results")
@writes
@pytest.mark.parametrize("base", ["/api/parsing", "/api/v1/parsing"])
def test_the_first_version_parses(clients: Clients, base: str) -> None:
    with first_version(clients, base) as http:
        sent = {"file": ("policy.pdf", pdf("First version."), "application/pdf")}
        made = http.post("/upload", files=sent, data={"result_type": "markdown"})
        assert made.status_code == 200, made.text
        assert made.json()["status"] == "PENDING"
        path = f"/job/{made.json()['id']}"
        end = time.monotonic() + 300
        while http.get(path).json()["status"] == "PENDING" and time.monotonic() < end:
            time.sleep(0.2)
        assert http.get(path).json()["status"] == "SUCCESS"
        assert "First version" in http.get(f"{path}/result/markdown").json()["markdown"]
        assert "First version" in http.get(f"{path}/result/text").json()["text"]
        assert http.get(f"{path}/result/json").json()["pages"][0]["page"] == 1
