"""OpenAI: files, batches, moderations, and completions of the older kind."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress

import openai
import pytest
from openai.types import FileObject

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

INSTRUCT = "gpt-3.5-turbo-instruct"
MODERATION = "omni-moderation-latest"


@pytest.fixture
def uploaded(clients: Clients) -> Iterator[FileObject]:
    """A file of one request for an embedding."""
    body = {"model": "text-embedding-3-small", "input": "deductible"}
    line = json.dumps({"custom_id": "one", "method": "POST", "url": "/v1/embeddings", "body": body})
    file = clients.openai().files.create(file=(f"{clients.tag}.jsonl", line.encode() + b"\n"), purpose="batch")
    yield file
    with suppress(openai.NotFoundError):
        clients.openai().files.delete(file.id)


@operation("OpenAI", "upload a file")
@writes
def test_an_uploaded_file_is_shown(clients: Clients, uploaded: FileObject) -> None:
    assert (uploaded.object, uploaded.purpose) == ("file", "batch")
    assert uploaded.filename == f"{clients.tag}.jsonl"
    shown = clients.openai().files.retrieve(uploaded.id)
    assert (shown.id, shown.bytes) == (uploaded.id, uploaded.bytes)


@operation("OpenAI", "read a file's content")
@writes
def test_a_files_content_is_given_back(clients: Clients, uploaded: FileObject) -> None:
    content = clients.openai().files.content(uploaded.id)
    assert json.loads(content.text)["custom_id"] == "one"
    assert len(content.read()) == uploaded.bytes


@operation("OpenAI", "list files in pages")
@writes
def test_files_are_listed_in_pages(clients: Clients, uploaded: FileObject) -> None:
    client = clients.openai()
    other = client.files.create(file=("other.jsonl", b"{}\n"), purpose="batch")
    try:
        first = client.files.list(limit=1, purpose="batch")
        assert len(first.data) == 1
        assert first.has_more
        found = [file.id for file in client.files.list(limit=1, purpose="batch")]
        assert {uploaded.id, other.id} <= set(found)
        assert len(found) == len(set(found))
    finally:
        client.files.delete(other.id)


@operation("OpenAI", "delete a file")
@writes
def test_a_deleted_file_is_gone(clients: Clients, uploaded: FileObject) -> None:
    gone = clients.openai().files.delete(uploaded.id)
    assert (gone.id, gone.deleted) == (uploaded.id, True)
    with pytest.raises(openai.NotFoundError) as refused:
        clients.openai().files.retrieve(uploaded.id)
    assert refused.value.type == "invalid_request_error"


@operation("OpenAI", "upload a file for an unknown purpose")
def test_an_unknown_purpose_is_refused(clients: Clients) -> None:
    with pytest.raises(openai.BadRequestError):
        clients.openai().files.create(file=("a.txt", b"x"), purpose="pastime")  # type: ignore[arg-type]


@operation("OpenAI", "carry out a batch")
@writes
def test_a_batch_is_carried_out(clients: Clients, uploaded: FileObject) -> None:
    client = clients.openai()
    batch = client.batches.create(input_file_id=uploaded.id, endpoint="/v1/embeddings", completion_window="24h")
    assert (batch.object, batch.status) == ("batch", "validating")
    assert batch.id in {one.id for one in client.batches.list(limit=5).data}
    if clients.is_live:
        client.batches.cancel(batch.id)
        return
    deadline = time.monotonic() + 20
    while (batch := client.batches.retrieve(batch.id)).status != "completed":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert batch.output_file_id
    result = json.loads(client.files.content(batch.output_file_id).text)
    assert (result["custom_id"], result["response"]["status_code"]) == ("one", 200)
    assert len(result["response"]["body"]["data"][0]["embedding"]) == 1536


@operation("OpenAI", "cancel a batch")
@writes
def test_a_batch_is_cancelled(clients: Clients, uploaded: FileObject) -> None:
    client = clients.openai()
    batch = client.batches.create(input_file_id=uploaded.id, endpoint="/v1/embeddings", completion_window="24h")
    assert client.batches.cancel(batch.id).status in ("cancelling", "cancelled")


@operation("OpenAI", "a batch of a file that does not exist")
def test_an_unknown_batch_is_not_found(clients: Clients) -> None:
    with pytest.raises(openai.NotFoundError):
        clients.openai().batches.retrieve("batch_" + "0" * 32)


@operation("OpenAI", "moderate a text")
def test_a_harmless_text_is_not_flagged(clients: Clients) -> None:
    made = clients.openai().moderations.create(model=MODERATION, input="The plan covers two visits a year.")
    assert made.id.startswith("modr-")
    assert not made.results[0].flagged
    assert made.results[0].category_scores.violence < 0.5


@operation("OpenAI", "moderate several texts")
def test_a_threat_is_flagged(clients: Clients) -> None:
    results = clients.openai().moderations.create(model=MODERATION, input=["I will kill you.", "Good morning."]).results
    assert [result.flagged for result in results] == [True, False]
    assert results[0].categories.violence


@operation("OpenAI", "moderate with a model that does not exist")
def test_an_unknown_moderation_model_is_refused(clients: Clients) -> None:
    with pytest.raises((openai.BadRequestError, openai.NotFoundError)):
        clients.openai().moderations.create(model=f"{clients.tag}-model", input="x")


@operation("OpenAI", "complete a text")
@writes
def test_a_text_is_completed(clients: Clients) -> None:
    made = clients.openai().completions.create(model=INSTRUCT, prompt="Write a long story.", max_tokens=8, n=2)
    assert made.object == "text_completion"
    assert [choice.index for choice in made.choices] == [0, 1]
    assert made.choices[0].finish_reason == "length"
    assert made.usage
    assert made.usage.completion_tokens == 16


@operation("OpenAI", "stream the completion of a text")
@writes
def test_the_completion_of_a_text_is_streamed(clients: Clients) -> None:
    chunks = list(clients.openai().completions.create(model=INSTRUCT, prompt="Say hello", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")


@operation("OpenAI", "complete a text with a chat model")
def test_a_chat_model_does_not_complete_texts(clients: Clients) -> None:
    with pytest.raises(openai.NotFoundError):
        clients.openai().completions.create(model="gpt-4o-mini", prompt="x")
