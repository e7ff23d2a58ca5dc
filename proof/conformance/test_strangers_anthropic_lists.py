"""Anthropic's models, batches and files as an application developer uses them, through Anthropic's own client."""

import pytest
from anthropic import Anthropic, BadRequestError, NotFoundError

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes


@pytest.fixture
def client(clients: Clients) -> Anthropic:
    """Anthropic's client."""
    return clients.anthropic(timeout=60)


@operation("Anthropic", "read a model")
def test_a_model_is_read_as_listed(client: Anthropic) -> None:
    listed = client.models.list(limit=1).data[0]
    assert listed.type == "model"
    assert listed.display_name
    read = client.models.retrieve(listed.id)
    assert (read.id, read.display_name, read.created_at) == (listed.id, listed.display_name, listed.created_at)
    with pytest.raises(NotFoundError) as refused:
        client.models.retrieve("claude-of-no-vendor")
    assert refused.value.type == "not_found_error"


@operation("Anthropic", "page through the models")
def test_models_come_in_pages(client: Anthropic) -> None:
    whole = client.models.list(limit=1000)
    assert whole.has_more is False
    ids = [model.id for model in whole.data]
    assert (whole.first_id, whole.last_id) == (ids[0], ids[-1])
    assert len(set(ids)) == len(ids) > 1
    first = client.models.list(limit=1)
    assert [model.id for model in first.data] == ids[:1]
    assert first.has_more is True
    second = first.get_next_page()
    assert [model.id for model in second.data] == ids[1:2]
    assert [model.id for model in client.models.list(limit=1, before_id=ids[1]).data] == ids[:1]
    assert [model.id for model in client.models.list(limit=2)] == ids


@operation("Anthropic", "page through the models with a limit out of range")
def test_a_page_has_limits(client: Anthropic) -> None:
    for limit in (0, 1001):
        with pytest.raises(BadRequestError) as refused:
            client.models.list(limit=limit)
        assert refused.value.type == "invalid_request_error"


@operation("Anthropic", "make a batch, read it and cancel it")
@writes
def test_a_batch_is_made_and_cancelled(clients: Clients, client: Anthropic) -> None:
    model = client.models.list(limit=1).data[0].id
    batches = client.messages.batches
    made = batches.create(
        requests=[
            {
                "custom_id": f"{clients.tag}-{name}",
                "params": {"model": model, "max_tokens": 16, "messages": [{"role": "user", "content": "Say hello."}]},
            }
            for name in "ab"
        ]
    )
    assert made.type == "message_batch"
    assert made.processing_status == "in_progress"
    assert made.request_counts.processing == 2
    assert made.results_url is None
    assert made.ended_at is None
    assert made.expires_at > made.created_at
    assert batches.retrieve(made.id).created_at == made.created_at
    assert made.id in {batch.id for batch in batches.list(limit=20).data}
    cancelled = batches.cancel(made.id)
    assert cancelled.processing_status in {"canceling", "ended"}
    assert cancelled.cancel_initiated_at is not None


@operation("Anthropic", "upload a file, read of it and delete it")
@writes
def test_a_file_is_kept_until_deleted(clients: Clients, client: Anthropic) -> None:
    content = b"The deductible is 500 dollars."
    made = client.files.upload(file=(f"{clients.tag}.txt", content, "text/plain"))
    try:
        assert made.type == "file"
        assert made.filename == f"{clients.tag}.txt"
        assert made.mime_type == "text/plain"
        assert made.size_bytes == len(content)
        assert client.files.retrieve_metadata(made.id).created_at == made.created_at
        assert made.id in {file.id for file in client.files.list(ids=[made.id])}
        with pytest.raises(BadRequestError) as refused:
            client.files.download(made.id)
        assert refused.value.type == "invalid_request_error"
    finally:
        deleted = client.files.delete(made.id)
    assert (deleted.id, deleted.type) == (made.id, "file_deleted")
    with pytest.raises(NotFoundError) as gone:
        client.files.retrieve_metadata(made.id)
    assert gone.value.type == "not_found_error"
