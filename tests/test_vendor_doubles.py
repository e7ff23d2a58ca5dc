"""The doubles of OpenAI and Anthropic: what the twin plants in them, as the vendors' own clients read it."""

from __future__ import annotations

import asyncio
import dataclasses
import math
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from twin.config import TwinConfig
from twin.doubles import anthropic as anthropic_double
from twin.doubles import openai as openai_double
from twin.doubles.vectors import DIMENSION, embed

KEY = "staging-key-of-a-test"


def config_of(**behaviour: dict[str, Any]) -> TwinConfig:
    """A configuration in which nothing but the keys and the behaviour is set."""
    values: dict[str, Any] = {field.name: "" for field in dataclasses.fields(TwinConfig)}
    return TwinConfig(**values | {"openai_key": KEY, "anthropic_key": KEY, "behaviour": behaviour})


def models_of_openai(**behaviour: Any) -> Any:
    """The models that OpenAI's client lists."""

    async def ask() -> Any:
        transport = httpx2.ASGITransport(app=openai_double.create_app(config_of(openai=behaviour)))
        http = httpx2.AsyncClient(transport=transport)
        async with openai.AsyncOpenAI(api_key=KEY, base_url="http://double/v1", max_retries=0, http_client=http) as client:
            return await client.models.list()

    return asyncio.run(ask())


def models_of_anthropic(**behaviour: Any) -> Any:
    """The models that Anthropic's client lists."""

    async def ask() -> Any:
        transport = httpx2.ASGITransport(app=anthropic_double.create_app(config_of(anthropic=behaviour)))
        http = httpx2.AsyncClient(transport=transport)
        async with anthropic.AsyncAnthropic(api_key=KEY, base_url="http://double", max_retries=0, http_client=http) as client:
            return await client.models.list()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("behaviour", "error", "code"),
    [
        ({"status": 429, "retry_after": 7}, openai.RateLimitError, "rate_limit_exceeded"),
        ({"status": 429, "code": "insufficient_quota"}, openai.RateLimitError, "insufficient_quota"),
        ({"status": 403}, openai.PermissionDeniedError, "unsupported_country_region_territory"),
        ({"status": 500}, openai.InternalServerError, None),
        ({"status": 503}, openai.InternalServerError, None),
    ],
)
def test_what_is_planted_in_openai_is_what_its_client_raises(
    behaviour: dict[str, Any], error: type[openai.APIStatusError], code: str | None
) -> None:
    with pytest.raises(error) as raised:
        models_of_openai(**behaviour)
    assert (raised.value.status_code, raised.value.code) == (behaviour["status"], code)
    if wait := behaviour.get("retry_after"):
        assert raised.value.response.headers["retry-after"] == str(wait)


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (403, anthropic.PermissionDeniedError, "permission_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.APIStatusError, "overloaded_error"),
    ],
)
def test_what_is_planted_in_anthropic_is_what_its_client_raises(
    status: int, error: type[anthropic.APIStatusError], kind: str
) -> None:
    with pytest.raises(error) as raised:
        models_of_anthropic(status=status)
    assert (raised.value.status_code, raised.value.type) == (status, kind)


def test_healthy_doubles_list_their_models() -> None:
    assert "text-embedding-3-small" in {model.id for model in models_of_openai().data}
    assert models_of_anthropic().data


def test_vectors_are_dense_and_two_models_incomparable() -> None:
    vector, other = embed("cost of the dental plan"), embed("cost of the dental plan", "text-embedding-ada-002")
    assert sum(value == 0 for value in vector) < DIMENSION / 100
    assert math.isclose(math.fsum(value * value for value in vector), 1)
    assert abs(math.fsum(a * b for a, b in zip(vector, other, strict=True))) < 0.1
