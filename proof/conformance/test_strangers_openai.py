"""OpenAI's models and embeddings as an application developer uses them, through OpenAI's own client."""

import asyncio
import base64
import math
import struct
from collections.abc import Sequence
from typing import Any

import openai
import pytest
from openai import AuthenticationError, BadRequestError, NotFoundError

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

EMBEDDER = "text-embedding-3-small"
CHATTER = "gpt-4o-mini"
DIMENSIONS = 1536
TEXTS = ("What is my deductible?", "Penguins swim in cold water.", "How much must I pay before my insurance pays?")


def length(vector: Sequence[float]) -> float:
    """The Euclidean length of a vector."""
    return math.sqrt(math.fsum(value * value for value in vector))


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine similarity of two vectors."""
    return math.fsum(a * b for a, b in zip(one, other, strict=True)) / (length(one) * length(other))


@operation("OpenAI", "list the models and read one")
def test_the_models_are_listed_and_read(clients: Clients) -> None:
    client = clients.openai()
    listed = {model.id: model for model in client.models.list()}
    assert {EMBEDDER, CHATTER} <= set(listed)
    read = client.models.retrieve(CHATTER)
    assert read.object == "model"
    assert read.id == CHATTER
    assert read.created == listed[CHATTER].created
    assert read.owned_by == listed[CHATTER].owned_by


@operation("OpenAI", "read an unknown model")
def test_an_unknown_model_is_not_found(clients: Clients) -> None:
    with pytest.raises(NotFoundError) as refused:
        clients.openai().models.retrieve("no-such-model-of-no-account")
    assert refused.value.status_code == 404
    assert refused.value.code == "model_not_found"
    assert refused.value.type == "invalid_request_error"


@operation("OpenAI", "use a wrong key")
def test_a_wrong_key_is_refused(clients: Clients) -> None:
    with pytest.raises(AuthenticationError) as refused:
        clients.openai(api_key="sk-not-a-key-of-no-account").models.list()
    assert refused.value.status_code == 401
    assert refused.value.code == "invalid_api_key"
    assert refused.value.type == "invalid_request_error"


@operation("OpenAI", "embed one text")
@writes
def test_an_embedding_is_a_unit_vector(clients: Clients) -> None:
    answer = clients.openai().embeddings.create(model=EMBEDDER, input=TEXTS[0])
    assert answer.object == "list"
    assert answer.model.startswith(EMBEDDER)
    (item,) = answer.data
    assert (item.object, item.index) == ("embedding", 0)
    assert len(item.embedding) == DIMENSIONS
    assert length(item.embedding) == pytest.approx(1, abs=1e-3)
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 0


@operation("OpenAI", "embed several texts at once")
@writes
def test_embeddings_keep_the_order_of_their_texts(clients: Clients) -> None:
    client = clients.openai()
    together = client.embeddings.create(model=EMBEDDER, input=list(TEXTS))
    assert [item.index for item in together.data] == [0, 1, 2]
    for text, item in zip(TEXTS, together.data, strict=True):
        alone = client.embeddings.create(model=EMBEDDER, input=text).data[0].embedding
        assert cosine(alone, item.embedding) > 0.999


@operation("OpenAI", "compare the embeddings of related texts")
@writes
def test_related_texts_are_nearer(clients: Clients) -> None:
    question, penguins, paraphrase = (
        item.embedding for item in clients.openai().embeddings.create(model=EMBEDDER, input=list(TEXTS)).data
    )
    assert cosine(question, paraphrase) > cosine(question, penguins)


@operation("OpenAI", "embed into fewer dimensions")
@writes
def test_fewer_dimensions_are_the_first_ones_made_a_unit(clients: Clients) -> None:
    client = clients.openai()
    short = client.embeddings.create(model=EMBEDDER, input=TEXTS[0], dimensions=256).data[0].embedding
    assert len(short) == 256
    assert length(short) == pytest.approx(1, abs=1e-3)
    whole = client.embeddings.create(model=EMBEDDER, input=TEXTS[0]).data[0].embedding
    assert cosine(short, whole[:256]) > 0.999


@operation("OpenAI", "embed with each encoding")
@writes
def test_base64_carries_the_same_floats(clients: Clients) -> None:
    client = clients.openai()
    floats = client.embeddings.create(model=EMBEDDER, input=TEXTS[0], encoding_format="float").data[0].embedding
    packed: Any = client.embeddings.create(model=EMBEDDER, input=TEXTS[0], encoding_format="base64").data[0].embedding
    assert isinstance(packed, str)
    unpacked = struct.unpack(f"<{DIMENSIONS}f", base64.b64decode(packed))
    assert cosine(floats, unpacked) > 0.999


@operation("OpenAI", "embed tokens in place of text")
@writes
def test_tokens_are_counted_as_given(clients: Clients) -> None:
    answer = clients.openai().embeddings.create(model=EMBEDDER, input=[[9906, 1917], [9906]])
    assert [item.index for item in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens == 3


@operation("OpenAI", "embed nothing, too much, or into too many dimensions")
def test_inputs_of_embeddings_have_limits(clients: Clients) -> None:
    client = clients.openai()
    with pytest.raises(BadRequestError):
        client.embeddings.create(model=EMBEDDER, input="")
    with pytest.raises(BadRequestError):
        client.embeddings.create(model=EMBEDDER, input=[])
    with pytest.raises(BadRequestError):
        client.embeddings.create(model=EMBEDDER, input=[9906] * 9000)
    with pytest.raises(BadRequestError):
        client.embeddings.create(model=EMBEDDER, input=["a"] * 2049)
    with pytest.raises(BadRequestError) as refused:
        client.embeddings.create(model=EMBEDDER, input="a", dimensions=DIMENSIONS + 1)
    assert refused.value.status_code == 400
    assert refused.value.type == "invalid_request_error"


@operation("OpenAI", "embed with an unknown model")
def test_an_unknown_embedder_is_not_found(clients: Clients) -> None:
    with pytest.raises(NotFoundError) as refused:
        clients.openai().embeddings.create(model="text-embedding-of-no-vendor", input="a")
    assert refused.value.code == "model_not_found"


@operation("OpenAI", "embed from several tasks at once")
@writes
def test_simultaneous_requests_do_not_mix(clients: Clients) -> None:
    async def run() -> list[list[float]]:
        async with clients.openai_async() as client:
            answers = await asyncio.gather(*(client.embeddings.create(model=EMBEDDER, input=text) for text in TEXTS))
        return [answer.data[0].embedding for answer in answers]

    together = clients.openai().embeddings.create(model=EMBEDDER, input=list(TEXTS)).data
    for alone, item in zip(asyncio.run(run()), together, strict=True):
        assert cosine(alone, item.embedding) > 0.999


@operation("OpenAI", "read the headers of a response and of a refusal")
@writes
def test_responses_name_their_request(clients: Clients) -> None:
    client = clients.openai()
    raw = client.embeddings.with_raw_response.create(model=EMBEDDER, input="a")
    assert raw.headers["x-request-id"] == raw.request_id
    assert raw.headers["content-type"].startswith("application/json")
    assert int(raw.headers["openai-processing-ms"]) >= 0
    assert int(raw.headers["x-ratelimit-remaining-requests"]) <= int(raw.headers["x-ratelimit-limit-requests"])
    other = client.embeddings.with_raw_response.create(model=EMBEDDER, input="a")
    assert other.request_id != raw.request_id
    with pytest.raises(openai.APIStatusError) as refused:
        client.models.retrieve("no-such-model-of-no-account")
    assert refused.value.request_id
