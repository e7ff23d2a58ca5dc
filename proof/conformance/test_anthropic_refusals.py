"""Anthropic: messages that are refused."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from anthropic.types import MessageParam, ToolParam

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

MODEL = "claude-haiku-4-5"
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "Current weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def asks(text: str) -> list[MessageParam]:
    """A conversation of one question."""
    return [{"role": "user", "content": text}]


REFUSED: dict[str, dict[str, Any]] = {
    "no messages": {"messages": []},
    "an empty message": {"messages": asks("")},
    "an unknown role": {"messages": [{"role": "clerk", "content": "x"}]},
    "an unknown block": {"messages": [{"role": "user", "content": [{"type": "smell", "smell": "x"}]}]},
    "negative tokens": {"max_tokens": -1},
    "more tokens than the model has": {"max_tokens": 10_000_000, "stream": True},
    "tokens in words": {"max_tokens": "many"},
    "a temperature": {"extra_body": {"temperature": 1.0}},
    "an unknown parameter": {"extra_body": {"colour": "red"}},
    "a document of the assistant's": {
        "messages": [
            *asks("x"),
            {
                "role": "assistant",
                "content": [{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}],
            },
            *asks("y"),
        ]
    },
    "a choice of an unknown tool": {"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "other"}},
    "two tools of one name": {"tools": [WEATHER, WEATHER]},
    "a tool without a schema": {"tools": [{"name": "x"}]},
    "a result that no tool was asked for": {
        "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_x", "content": "x"}]}]
    },
    "too little to think": {"thinking": {"type": "enabled", "budget_tokens": 1}},
    "nothing but space to stop at": {"stop_sequences": [" "]},
}


@operation("Anthropic", "a message with a wrong parameter")
@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_parameter_is_refused(clients: Clients, name: str) -> None:
    usual: dict[str, Any] = {"model": MODEL, "max_tokens": 64, "messages": asks("Say hello")}
    with pytest.raises(anthropic.BadRequestError) as refused:
        clients.anthropic().messages.create(**usual | REFUSED[name])
    assert refused.value.type == "invalid_request_error"
    assert refused.value.request_id
    assert refused.value.api_message


@operation("Anthropic", "a prefilled answer to a model that takes none")
def test_newer_models_take_no_prefill(clients: Clients) -> None:
    turns: list[MessageParam] = [*asks("Say hello"), {"role": "assistant", "content": "Hel"}]
    with pytest.raises(anthropic.BadRequestError):
        clients.anthropic().messages.create(model="claude-opus-4-8", max_tokens=64, messages=turns)


@operation("Anthropic", "sampling by the older version of the API")
@writes
def test_the_older_version_takes_a_temperature(clients: Clients) -> None:
    older = clients.anthropic(default_headers={"anthropic-version": "2023-06-01"})
    made = older.messages.create(model=MODEL, max_tokens=64, messages=asks("Say hello"), extra_body={"temperature": 0.2})
    assert made.content
    with pytest.raises(anthropic.BadRequestError):
        older.messages.create(model=MODEL, max_tokens=64, messages=asks("Say hello"), extra_body={"temperature": 1.5})


@operation("Anthropic", "a message by a model that does not exist")
def test_an_unknown_model_is_not_found(clients: Clients) -> None:
    with pytest.raises(anthropic.NotFoundError) as refused:
        clients.anthropic().messages.create(model=f"{clients.tag}-model", max_tokens=64, messages=asks("x"))
    assert refused.value.type == "not_found_error"
    assert clients.tag in str(refused.value.api_message)
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["request_id"] == refused.value.request_id
