"""OpenAI: models and embeddings."""

from __future__ import annotations

import asyncio
import base64
import math
from typing import Any

import numpy as np
import openai
import pytest

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

MODEL = "text-embedding-3-small"
DIMENSION = 1536


def cosine(first: list[float], second: list[float]) -> float:
    """The similarity of two unit vectors."""
    return math.fsum(a * b for a, b in zip(first, second, strict=True))


@operation("OpenAI", "list models")
def test_models_are_listed(clients: Clients) -> None:
    models = list(clients.openai().models.list())
    assert MODEL in {model.id for model in models}
    assert {model.object for model in models} == {"model"}


@operation("OpenAI", "list models, asynchronously")
def test_models_are_listed_asynchronously(clients: Clients) -> None:
    async def ask() -> list[str]:
        async with clients.openai_async() as client:
            return [model.id async for model in client.models.list()]

    assert MODEL in asyncio.run(ask())


@operation("OpenAI", "retrieve a model")
def test_one_model_is_shown(clients: Clients) -> None:
    model = clients.openai().models.retrieve(MODEL)
    assert (model.id, model.object) == (MODEL, "model")
    assert model.owned_by


@operation("OpenAI", "retrieve a model that does not exist")
def test_an_unknown_model_is_not_found(clients: Clients) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        clients.openai().models.retrieve(f"{clients.tag}-model")
    assert refused.value.code == "model_not_found"
    assert refused.value.type == "invalid_request_error"
    assert refused.value.request_id


@operation("OpenAI", "delete a model of OpenAI's own")
def test_a_model_of_openai_is_not_deleted(clients: Clients) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        clients.openai().models.delete(MODEL)


@operation("OpenAI", "a wrong key")
def test_a_wrong_key_is_refused(clients: Clients) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        clients.openai("wrong-" + clients.tag).models.list()
    assert refused.value.status_code == 401
    assert refused.value.code == "invalid_api_key"
    assert refused.value.type == "invalid_request_error"
    assert clients.tag not in refused.value.message


@operation("OpenAI", "a path that does not exist")
def test_an_unknown_path_is_not_found(clients: Clients) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        clients.openai().get(f"/{clients.tag}", cast_to=object)
    assert refused.value.type == "invalid_request_error"
    assert "Invalid URL" in refused.value.message


@operation("OpenAI", "headers of a response")
@writes
def test_a_response_has_request_id_and_limits(clients: Clients) -> None:
    raw = clients.openai().embeddings.with_raw_response.create(model=MODEL, input="premium")
    assert raw.request_id
    for name in ("openai-processing-ms", "openai-version", "openai-organization"):
        assert raw.headers[name]
    for name in ("limit-requests", "remaining-requests", "reset-requests", "limit-tokens", "remaining-tokens"):
        assert raw.headers[f"x-ratelimit-{name}"]
    assert int(raw.headers["x-ratelimit-remaining-requests"]) < int(raw.headers["x-ratelimit-limit-requests"])


@operation("OpenAI", "embed one text")
@writes
def test_an_embedding_is_a_dense_unit_vector(clients: Clients) -> None:
    created = clients.openai().embeddings.create(model=MODEL, input="What does the dental plan cost?")
    vector = created.data[0].embedding
    assert len(vector) == DIMENSION
    assert math.isclose(math.fsum(value * value for value in vector), 1, abs_tol=1e-3)
    assert sum(value == 0 for value in vector) < DIMENSION / 100
    assert created.usage.prompt_tokens == created.usage.total_tokens > 0
    assert created.model.startswith(MODEL)


@operation("OpenAI", "embed several texts")
@writes
def test_embeddings_come_in_the_order_of_their_inputs(clients: Clients) -> None:
    texts = ["The dental plan costs $20.", "Ambulances are free.", "The dental plan costs $20."]
    data = clients.openai().embeddings.create(model=MODEL, input=texts).data
    assert [item.index for item in data] == [0, 1, 2]
    assert cosine(data[0].embedding, data[2].embedding) > 0.99
    assert cosine(data[0].embedding, data[1].embedding) < 0.9


@operation("OpenAI", "compare embeddings")
@writes
def test_like_texts_are_closer_than_others(clients: Clients) -> None:
    texts = ["monthly cost of the dental plan", "the dental plan's cost each month", "a recipe for onion soup"]
    one, like, other = (item.embedding for item in clients.openai().embeddings.create(model=MODEL, input=texts).data)
    assert cosine(one, like) > cosine(one, other) + 0.2


@operation("OpenAI", "embed with base64 and with float")
@writes
def test_base64_holds_the_same_numbers(clients: Clients) -> None:
    client = clients.openai()
    shown = client.embeddings.create(model=MODEL, input="deductible", encoding_format="float").data[0].embedding
    encoded: Any = client.embeddings.create(model=MODEL, input="deductible", encoding_format="base64").data[0].embedding
    numbers = [float(number) for number in np.frombuffer(base64.b64decode(encoded), dtype="<f4")]
    assert cosine(shown, numbers) > 0.999


@operation("OpenAI", "embed with fewer dimensions")
@writes
def test_shorter_vectors_are_of_unit_length_too(clients: Clients) -> None:
    client = clients.openai()
    vector = client.embeddings.create(model=MODEL, input="deductible", dimensions=256).data[0].embedding
    whole = client.embeddings.create(model=MODEL, input="deductible").data[0].embedding
    assert len(vector) == 256
    assert math.isclose(math.fsum(value * value for value in vector), 1, abs_tol=1e-3)
    norm = math.sqrt(math.fsum(value * value for value in whole[:256]))
    assert cosine(vector, [value / norm for value in whole[:256]]) > 0.99


@operation("OpenAI", "embed arrays of tokens")
@writes
def test_tokens_are_taken_as_inputs(clients: Clients) -> None:
    created = clients.openai().embeddings.create(model=MODEL, input=[[9906, 1917], [15339]])
    assert len(created.data) == 2
    assert created.usage.prompt_tokens == 3


@operation("OpenAI", "embed with another model")
@writes
def test_two_models_have_two_spaces(clients: Clients) -> None:
    client = clients.openai()
    small = client.embeddings.create(model=MODEL, input="deductible").data[0].embedding
    older = client.embeddings.create(model="text-embedding-ada-002", input="deductible").data[0].embedding
    large = client.embeddings.create(model="text-embedding-3-large", input="deductible").data[0].embedding
    assert (len(older), len(large)) == (DIMENSION, 2 * DIMENSION)
    assert abs(cosine(small, older)) < 0.3


REFUSED: dict[str, dict[str, Any]] = {
    "no text": {"input": ""},
    "an empty array": {"input": []},
    "an object": {"input": {"text": "x"}},
    "numbers and texts": {"input": ["x", 1]},
    "too many inputs": {"input": ["x"] * 2049},
    "too long an input": {"input": "word " * 9000},
    "too many dimensions": {"input": "x", "dimensions": 4000},
    "no dimensions": {"input": "x", "dimensions": 0},
    "an unknown encoding": {"input": "x", "encoding_format": "hex"},
    "too many tokens altogether": {"input": ["word " * 7000] * 60},
}


@operation("OpenAI", "embed what cannot be embedded")
@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_input_is_refused(clients: Clients, name: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        clients.openai().embeddings.create(model=MODEL, **REFUSED[name])
    assert refused.value.type in ("invalid_request_error", "max_tokens_per_request")
    assert refused.value.message


@operation("OpenAI", "embed with a model that does not exist")
def test_an_unknown_embedding_model_is_not_found(clients: Clients) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        clients.openai().embeddings.create(model=f"{clients.tag}-model", input="x")
    assert refused.value.code == "model_not_found"


@operation("OpenAI", "embed with a model for chats")
def test_a_chat_model_does_not_embed(clients: Clients) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        clients.openai().embeddings.create(model="gpt-4o-mini", input="x")
