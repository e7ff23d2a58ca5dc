"""Anthropic: keys and versions, models, batches, files."""

from __future__ import annotations

import time
from typing import Any

import anthropic
import pytest

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

MODEL = "claude-haiku-4-5"


@operation("Anthropic", "a wrong key")
def test_a_wrong_key_is_refused(clients: Clients) -> None:
    with pytest.raises(anthropic.AuthenticationError) as refused:
        clients.anthropic("wrong-" + clients.tag).models.list()
    assert (refused.value.status_code, refused.value.type) == (401, "authentication_error")
    assert refused.value.request_id


@operation("Anthropic", "no key")
def test_no_key_is_refused(clients: Clients) -> None:
    with pytest.raises(anthropic.AuthenticationError):
        clients.anthropic().models.list(extra_headers={"Authorization": anthropic.Omit()})


@operation("Anthropic", "the key in x-api-key")
def test_the_older_header_of_the_key_is_taken(clients: Clients) -> None:
    client = clients.anthropic("wrong-" + clients.tag, default_headers={"x-api-key": clients.keys.anthropic})
    assert client.models.list().data


@operation("Anthropic", "a version of the API that does not exist")
def test_an_unknown_version_is_refused(clients: Clients) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        clients.anthropic(default_headers={"anthropic-version": "1999-12-31"}).models.list()
    assert refused.value.type == "invalid_request_error"


@operation("Anthropic", "a path that does not exist")
def test_an_unknown_path_is_not_found(clients: Clients) -> None:
    with pytest.raises(anthropic.NotFoundError) as refused:
        clients.anthropic().get(f"/v1/{clients.tag}", cast_to=object)
    assert refused.value.type == "not_found_error"


@operation("Anthropic", "list models")
def test_models_are_listed_newest_first(clients: Clients) -> None:
    page = clients.anthropic().models.list(limit=1000)
    assert not page.has_more
    assert (page.first_id, page.last_id) == (page.data[0].id, page.data[-1].id)
    released = [model.created_at for model in page.data]
    assert released == sorted(released, reverse=True)
    assert all(model.type == "model" and model.display_name for model in page.data)
    assert "retired" not in {model.lifecycle for model in page.data}


@operation("Anthropic", "list models in pages")
def test_pages_of_models_follow_each_other(clients: Clients) -> None:
    client = clients.anthropic()
    every = [model.id for model in client.models.list(limit=1000)]
    first = client.models.list(limit=2)
    assert first.has_more
    assert [model.id for model in first.data] == every[:2]
    assert [model.id for model in client.models.list(limit=2)] == every
    assert [model.id for model in client.models.list(limit=2, after_id=every[1]).data] == every[2:4]
    assert [model.id for model in client.models.list(limit=2, before_id=every[4]).data] == every[2:4]


@operation("Anthropic", "list models with a wrong limit")
@pytest.mark.parametrize("limit", [0, 1001])
def test_a_wrong_limit_is_refused(clients: Clients, limit: int) -> None:
    with pytest.raises(anthropic.BadRequestError):
        clients.anthropic().models.list(limit=limit)


@operation("Anthropic", "retrieve a model by another of its names")
def test_an_alias_names_a_model(clients: Clients) -> None:
    model = clients.anthropic().models.retrieve(MODEL)
    assert model.id.startswith(f"{MODEL}-")
    assert (model.line, model.lifecycle) == ("haiku", "active")
    assert model.max_tokens
    assert model.capabilities
    assert model.capabilities.image_input.supported


@operation("Anthropic", "retrieve a model that does not exist")
def test_an_unknown_model_is_not_found(clients: Clients) -> None:
    with pytest.raises(anthropic.NotFoundError) as refused:
        clients.anthropic().models.retrieve(f"{clients.tag}-model")
    assert refused.value.type == "not_found_error"


def requests(*names: str, model: str = MODEL) -> Any:
    """Requests of a batch, with these custom ids."""
    params = {"model": model, "max_tokens": 16, "messages": [{"role": "user", "content": "Say hello"}]}
    return [{"custom_id": name, "params": params} for name in names]


def until_ended(client: anthropic.Anthropic, name: str, seconds: float) -> Any:
    """The batch once it has ended."""
    deadline = time.monotonic() + seconds
    while (batch := client.messages.batches.retrieve(name)).processing_status != "ended":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return batch


@operation("Anthropic", "carry out a batch of messages")
@writes
def test_a_batch_is_carried_out(clients: Clients) -> None:
    client = clients.anthropic()
    failing = requests("four", model=f"{clients.tag}-model")
    batch = client.messages.batches.create(requests=[*requests("one", "two"), *failing])
    assert batch.id.startswith("msgbatch_")
    assert (batch.type, batch.processing_status, batch.results_url) == ("message_batch", "in_progress", None)
    assert batch.request_counts.processing == 3
    batch = until_ended(client, batch.id, 600 if clients.is_live else 10)
    assert (batch.request_counts.succeeded, batch.request_counts.errored) == (2, 1)
    results = {result.custom_id: result.result for result in client.messages.batches.results(batch.id)}
    assert {name: result.type for name, result in results.items()} == {
        "one": "succeeded",
        "two": "succeeded",
        "four": "errored",
    }
    one, four = results["one"], results["four"]
    assert one.type == "succeeded"
    assert one.message.content[0].type == "text"
    assert four.type == "errored"
    assert four.error.error.type in ("not_found_error", "invalid_request_error")
    assert client.messages.batches.delete(batch.id).type == "message_batch_deleted"
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve(batch.id)


@operation("Anthropic", "cancel a batch of messages")
@writes
def test_a_batch_is_cancelled(clients: Clients) -> None:
    client = clients.anthropic()
    batch = client.messages.batches.create(requests=requests("one"))
    cancelled = client.messages.batches.cancel(batch.id)
    assert cancelled.processing_status == "canceling"
    assert cancelled.cancel_initiated_at
    assert until_ended(client, batch.id, 600 if clients.is_live else 10).ended_at
    client.messages.batches.delete(batch.id)


@operation("Anthropic", "list batches of messages in pages")
@writes
def test_batches_are_listed_newest_first(clients: Clients) -> None:
    client = clients.anthropic()
    made = [client.messages.batches.create(requests=requests("one")).id for _ in range(3)]
    try:
        page = client.messages.batches.list(limit=2)
        assert page.has_more
        assert page.first_id == page.data[0].id
        listed = [batch.id for batch, _ in zip(client.messages.batches.list(limit=2), range(20), strict=False)]
        assert [name for name in listed if name in made] == made[::-1]
    finally:
        for name in made:
            client.messages.batches.cancel(name)


@operation("Anthropic", "a batch of messages with a wrong request")
@pytest.mark.parametrize(
    "wrong", [[], requests("twice", "twice"), requests("a name with spaces")], ids=["none", "twice", "name"]
)
def test_a_wrong_batch_is_refused(clients: Clients, wrong: Any) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        clients.anthropic().messages.batches.create(requests=wrong)
    assert refused.value.type == "invalid_request_error"


@operation("Anthropic", "retrieve a batch that does not exist")
def test_an_unknown_batch_is_not_found(clients: Clients) -> None:
    with pytest.raises(anthropic.NotFoundError):
        clients.anthropic().messages.batches.retrieve("msgbatch_" + "0" * 24)


@operation("Anthropic", "upload, list and delete a file")
@writes
def test_a_file_is_kept_until_deleted(clients: Clients) -> None:
    client = clients.anthropic()
    made = client.files.upload(file=(f"{clients.tag}.txt", b"The plan costs $20.", "text/plain"))
    try:
        assert (made.type, made.filename, made.mime_type) == ("file", f"{clients.tag}.txt", "text/plain")
        assert made.size_bytes == 19
        assert client.files.retrieve_metadata(made.id).id == made.id
        assert made.id in {file.id for file in client.files.list(limit=1)}
        with pytest.raises(anthropic.BadRequestError) as refused:
            client.files.download(made.id)
        assert refused.value.type == "invalid_request_error"
    finally:
        assert client.files.delete(made.id).type == "file_deleted"
    with pytest.raises(anthropic.NotFoundError):
        client.files.retrieve_metadata(made.id)
