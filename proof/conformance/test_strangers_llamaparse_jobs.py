"""LlamaParse's jobs as an application developer uses them, through LlamaCloud's own client."""

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fpdf import FPDF
from llama_cloud import APIStatusError, BadRequestError, LlamaCloud, NotFoundError, UnprocessableEntityError

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

REFUSED = (BadRequestError, UnprocessableEntityError)
WORDS = ("deductible", "premium", "copayment")
SECONDS = 180.0


def pdf() -> bytes:
    """A document of three pages, which no cache knows."""
    document = FPDF()
    document.set_font("helvetica", size=14)
    for word in WORDS:
        document.add_page()
        document.multi_cell(0, 10, f"The {word} of policy {secrets.token_hex(6)} is explained on this page.")
    return bytes(document.output())


@pytest.fixture
def client(clients: Clients) -> LlamaCloud:
    """LlamaCloud's client."""
    return clients.llama_cloud(timeout=60)


@pytest.fixture
def file_id(clients: Clients, client: LlamaCloud) -> Iterator[str]:
    """An uploaded document, removed afterwards."""
    name = f"{clients.tag}-{secrets.token_hex(4)}.pdf"
    made = client.files.create(file=(name, pdf(), "application/pdf"), purpose="parse")
    yield made.id
    client.files.delete(made.id)


def done(client: LlamaCloud, file_id: str, **options: Any) -> str:
    """Parses a document to its end by the cheapest tier; the job's id."""
    job = client.parsing.create(file_id=file_id, tier="fast", version="latest", **options)
    client.parsing.wait_for_completion(job.id, polling_interval=0.5, timeout=SECONDS)
    return job.id


@operation("LlamaParse", "list the versions of each tier")
def test_the_latest_version_is_one_of_its_tier(client: LlamaCloud) -> None:
    versions = client.parsing.list_versions()
    assert versions.latest.fast in versions.fast
    assert versions.latest.cost_effective in versions.cost_effective
    assert versions.latest.agentic in versions.agentic
    assert versions.latest.agentic_plus in versions.agentic_plus


@operation("LlamaParse", "parse a document and follow its job")
@writes
def test_a_job_runs_to_its_end(client: LlamaCloud, file_id: str) -> None:
    job = client.parsing.create(file_id=file_id, tier="fast", version="latest", user_metadata={"kind": "policy"})
    assert job.id
    assert job.project_id == client.files.retrieve(file_id).project_id
    assert job.status in {"PENDING", "RUNNING", "COMPLETED"}
    assert job.error_message is None
    ended = client.parsing.wait_for_completion(job.id, polling_interval=0.5, timeout=SECONDS)
    assert ended.status == "COMPLETED"
    read = client.parsing.get(job.id)
    assert (read.job.id, read.job.status) == (job.id, "COMPLETED")
    assert read.job.user_metadata == {"kind": "policy"}


@operation("LlamaParse", "read the text of a document, page by page")
@writes
def test_text_comes_only_when_asked_for(client: LlamaCloud, file_id: str) -> None:
    job_id = done(client, file_id)
    bare = client.parsing.get(job_id)
    assert bare.text is None
    assert bare.markdown is None
    full = client.parsing.get(job_id, expand=["text"])
    assert full.text is not None
    assert [page.page_number for page in full.text.pages] == [1, 2, 3]
    for word, page in zip(WORDS, full.text.pages, strict=True):
        assert word in page.text


@operation("LlamaParse", "upload and parse a document into Markdown in one call")
@writes
def test_markdown_comes_page_by_page(client: LlamaCloud) -> None:
    result = client.parsing.parse(
        upload_file=("policy.pdf", pdf(), "application/pdf"),
        tier="cost_effective",
        version="latest",
        expand=["markdown", "metadata"],
        timeout=SECONDS,
    )
    assert result.job.status == "COMPLETED"
    assert result.markdown is not None
    for number, (word, page) in enumerate(zip(WORDS, result.markdown.pages, strict=True), start=1):
        assert page.success
        assert page.page_number == number
        assert word in page.markdown
    assert result.metadata is not None
    assert [page.page_number for page in result.metadata.pages] == [1, 2, 3]


@operation("LlamaParse", "parse chosen pages of a document")
@writes
def test_pages_are_chosen(client: LlamaCloud, file_id: str) -> None:
    for ranges, wanted in (({"target_pages": "2"}, WORDS[1:2]), ({"max_pages": 2}, WORDS[:2])):
        text = client.parsing.get(done(client, file_id, page_ranges=ranges), expand=["text"]).text
        assert text is not None
        for word, page in zip(wanted, text.pages, strict=True):
            assert word in page.text


@operation("LlamaParse", "download the text of a document through a presigned URL")
@writes
def test_a_result_is_downloaded(client: LlamaCloud, file_id: str) -> None:
    known = client.parsing.get(done(client, file_id), expand=["text_content_metadata"]).result_content_metadata
    assert known
    urls = [result.presigned_url for result in known.values() if result.presigned_url and result.size_bytes > 0]
    assert urls
    downloads = [httpx.get(url) for url in urls]
    assert {download.status_code for download in downloads} == {200}
    assert all(any(word in download.text for download in downloads) for word in WORDS)


@operation("LlamaParse", "list jobs by id and by status, in pages")
@writes
def test_jobs_are_listed(client: LlamaCloud, file_id: str) -> None:
    ids = {done(client, file_id), done(client, file_id)}
    assert len(ids) == 2
    assert {job.id for job in client.parsing.list(job_ids=list(ids))} == ids
    first = client.parsing.list(job_ids=list(ids), status="COMPLETED", page_size=1)
    assert len(first.items) == 1
    assert first.next_page_token
    assert {job.id for job in first} == ids
    assert list(client.parsing.list(job_ids=list(ids), status="FAILED")) == []


@operation("LlamaParse", "cancel and delete a job that has ended")
@writes
def test_an_ended_job_is_deleted_but_not_cancelled(client: LlamaCloud, file_id: str) -> None:
    job_id = done(client, file_id)
    with pytest.raises(APIStatusError) as refused:
        client.parsing.cancel(job_id)
    assert 400 <= refused.value.status_code < 500
    assert client.parsing.get(job_id).job.status == "COMPLETED"
    assert client.parsing.delete(job_id).id == job_id
    with pytest.raises(NotFoundError):
        client.parsing.get(job_id)


@operation("LlamaParse", "parse without a tier, a version or a document that exists")
@writes
def test_requests_are_checked(client: LlamaCloud, file_id: str) -> None:
    with pytest.raises(REFUSED):
        client.parsing.create(file_id=file_id, tier="no_such_tier", version="latest")
    with pytest.raises(REFUSED):
        client.parsing.create(file_id=file_id, tier="fast", version="1999-01-01")
    with pytest.raises(REFUSED):
        client.parsing.create(tier="fast", version="latest")
    with pytest.raises(REFUSED):
        client.parsing.create(file_id=file_id, source_url="https://example.com/policy.pdf", tier="fast", version="latest")


@operation("LlamaParse", "parse a file that was deleted")
@writes
def test_a_deleted_file_is_not_parsed(client: LlamaCloud) -> None:
    made = client.files.create(file=("policy.pdf", pdf(), "application/pdf"), purpose="parse")
    client.files.delete(made.id)
    with pytest.raises(APIStatusError) as refused:
        client.parsing.create(file_id=made.id, tier="fast", version="latest")
    assert refused.value.status_code in {400, 404, 422}
