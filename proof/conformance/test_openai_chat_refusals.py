"""OpenAI: chat completions that are refused."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from proof.conformance.clients import Clients
from proof.conformance.marks import operation

MODEL = "gpt-4o-mini"


def asks(text: str) -> list[ChatCompletionMessageParam]:
    """A conversation of one question."""
    return [{"role": "user", "content": text}]


REFUSED: dict[str, tuple[dict[str, Any], str | None, str | None]] = {
    "no messages": ({"messages": []}, "messages", "empty_array"),
    "an unknown role": ({"messages": [{"role": "clerk", "content": "x"}]}, "messages[0].role", "invalid_value"),
    "too hot": ({"temperature": 2.5}, "temperature", "decimal_above_max_value"),
    "too cold": ({"temperature": -1}, "temperature", "decimal_below_min_value"),
    "a temperature in words": ({"temperature": "hot"}, "temperature", "invalid_type"),
    "no tokens": ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
    "too many choices": ({"n": 500}, "n", "integer_above_max_value"),
    "too many stops": ({"stop": list("abcde")}, "stop", "array_above_max_length"),
    "JSON mode without the word": ({"response_format": {"type": "json_object"}}, "messages", None),
    "a choice among no tools": ({"tool_choice": "auto"}, "tool_choice", None),
    "options of no stream": ({"stream_options": {"include_usage": True}}, "stream_options", None),
    "a result that no tool was asked for": (
        {"messages": [{"role": "tool", "tool_call_id": "call_x", "content": "x"}]},
        "messages.[0].role",
        None,
    ),
    "an unknown parameter": ({"extra_body": {"colour": "red"}}, None, None),
}


@operation("OpenAI", "a chat completion with a wrong parameter")
@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_parameter_is_named(clients: Clients, name: str) -> None:
    given, param, code = REFUSED[name]
    with pytest.raises(openai.BadRequestError) as refused:
        clients.openai().chat.completions.create(**{"model": MODEL, "messages": asks("Say hello")} | given)
    assert refused.value.type == "invalid_request_error"
    if param:
        assert refused.value.param == param
    if code:
        assert refused.value.code == code


@operation("OpenAI", "a chat that is longer than the model's window")
def test_too_long_a_prompt_is_refused(clients: Clients) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        clients.openai().chat.completions.create(model=MODEL, messages=asks("word " * 130_000))
    assert refused.value.code == "context_length_exceeded"


@operation("OpenAI", "another organization")
def test_another_organization_is_refused(clients: Clients) -> None:
    with pytest.raises(openai.AuthenticationError):
        clients.openai(organization=f"org-{clients.tag}").models.list()


@operation("OpenAI", "a chat with a model that does not exist")
def test_an_unknown_chat_model_is_not_found(clients: Clients) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        clients.openai().chat.completions.create(model=f"{clients.tag}-model", messages=asks("x"))
    assert refused.value.code == "model_not_found"


@operation("OpenAI", "a chat with a model for embeddings")
def test_an_embedding_model_does_not_chat(clients: Clients) -> None:
    with pytest.raises((openai.NotFoundError, openai.PermissionDeniedError)):
        clients.openai().chat.completions.create(model="text-embedding-3-small", messages=asks("x"))


@operation("OpenAI", "an older parameter of a reasoning model")
def test_a_reasoning_model_takes_completion_tokens_only(clients: Clients) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        clients.openai().chat.completions.create(model="gpt-5-mini", messages=asks("x"), max_tokens=50)
    assert (refused.value.param, refused.value.code) == ("max_tokens", "unsupported_parameter")


@operation("OpenAI", "a body that is not JSON")
def test_what_is_not_json_is_refused(clients: Clients) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        clients.openai().post(
            "/chat/completions", cast_to=object, content=b"{", options={"headers": {"content-type": "application/json"}}
        )
    assert refused.value.type == "invalid_request_error"
