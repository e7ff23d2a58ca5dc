"""OpenAI: responses and conversations."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai.types.responses import FunctionToolParam
from pydantic import BaseModel

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

MODEL = "gpt-4o-mini"
WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "description": "Current weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Plan(BaseModel):
    """An insurance plan."""

    name: str
    price: float


@operation("OpenAI", "create a response")
@writes
def test_a_response_has_its_parts(clients: Clients) -> None:
    made = clients.openai().responses.create(model=MODEL, input="Reply with exactly: pong", store=False)
    assert made.id.startswith("resp_")
    assert (made.object, made.status, made.error, made.incomplete_details) == ("response", "completed", None, None)
    assert "pong" in made.output_text.lower()
    assert made.usage
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    assert made.output[0].type == "message"


@operation("OpenAI", "instructions and messages of a response")
@writes
def test_messages_are_taken_as_input(clients: Clients) -> None:
    made = clients.openai().responses.create(
        model=MODEL,
        instructions="Reply with exactly: pong",
        input=[{"role": "user", "content": [{"type": "input_text", "text": "ping"}]}],
        store=False,
    )
    assert "pong" in made.output_text.lower()
    assert made.instructions == "Reply with exactly: pong"


@operation("OpenAI", "limit the tokens of a response")
@writes
def test_a_limit_leaves_the_response_incomplete(clients: Clients) -> None:
    made = clients.openai().responses.create(model=MODEL, input="Write a long story.", max_output_tokens=16, store=False)
    assert made.status == "incomplete"
    assert made.incomplete_details
    assert made.incomplete_details.reason == "max_output_tokens"


@operation("OpenAI", "stream a response")
@writes
def test_events_come_in_order(clients: Clients) -> None:
    stream = clients.openai().responses.create(model=MODEL, input="Say hello", stream=True, store=False)
    events: list[Any] = list(stream)
    kinds = list(dict.fromkeys(event.type for event in events))
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text


@operation("OpenAI", "stream a response with the client's helper")
@writes
def test_the_helper_gathers_the_response(clients: Clients) -> None:
    with clients.openai().responses.stream(model=MODEL, input="Say hello", store=False) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == text


@operation("OpenAI", "structured outputs of a response")
@writes
def test_a_schema_is_kept(clients: Clients) -> None:
    made = clients.openai().responses.parse(model=MODEL, input="The plan “Gold” costs 120 dollars.", text_format=Plan)
    assert made.output_parsed
    assert (made.output_parsed.name, made.output_parsed.price) == ("Gold", 120)


@operation("OpenAI", "call a tool and return its result in a response")
@writes
def test_a_tool_is_called(clients: Clients) -> None:
    client = clients.openai()
    asked: Any = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = client.responses.create(model=MODEL, input=asked, tools=[WEATHER], tool_choice="required", store=False)
    call = first.output[0]
    assert call.type == "function_call"
    assert "Paris" in json.loads(call.arguments)["city"]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "21 degrees"}
    again = [*asked, call.model_dump(exclude_none=True), result]
    done = client.responses.create(model=MODEL, input=again, tools=[WEATHER], store=False)
    assert "21" in done.output_text


@operation("OpenAI", "keep, retrieve and delete a response")
@writes
def test_a_response_is_kept_until_deleted(clients: Clients) -> None:
    client = clients.openai()
    made = client.responses.create(model=MODEL, input="Say hello", metadata={"case": clients.tag})
    try:
        kept = client.responses.retrieve(made.id)
        assert (kept.output_text, kept.metadata) == (made.output_text, {"case": clients.tag})
        items = list(client.responses.input_items.list(made.id))
        assert [item.type for item in items] == ["message"]
    finally:
        client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


@operation("OpenAI", "continue a response")
@writes
def test_a_response_continues_another(clients: Clients) -> None:
    client = clients.openai()
    first = client.responses.create(model=MODEL, input="My favourite word is quibble.")
    second = client.responses.create(model=MODEL, input="What is my favourite word?", previous_response_id=first.id)
    try:
        assert second.previous_response_id == first.id
        assert "quibble" in second.output_text.lower()
    finally:
        client.responses.delete(first.id)
        client.responses.delete(second.id)


@operation("OpenAI", "count the tokens of an input")
def test_tokens_are_counted(clients: Clients) -> None:
    short = clients.openai().responses.input_tokens.count(model=MODEL, input="Say hello")
    longer = clients.openai().responses.input_tokens.count(model=MODEL, input="Say hello to all of them, one by one")
    assert 0 < short.input_tokens < longer.input_tokens
    assert short.object == "response.input_tokens"


@operation("OpenAI", "a response in the background")
@writes
def test_a_background_response_is_queued_and_cancelled(clients: Clients) -> None:
    client = clients.openai()
    made = client.responses.create(model=MODEL, input="Write a long story.", background=True)
    try:
        assert made.status in ("queued", "in_progress")
        assert client.responses.cancel(made.id).status == "cancelled"
    finally:
        client.responses.delete(made.id)


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown predecessor": (
        {"previous_response_id": "resp_" + "0" * 48},
        "previous_response_id",
        "previous_response_not_found",
    ),
    "too few tokens": ({"max_output_tokens": 1}, "max_output_tokens", "integer_below_min_value"),
    "too hot": ({"temperature": 3}, "temperature", "decimal_above_max_value"),
    "an unknown parameter": ({"extra_body": {"colour": "red"}}, "colour", "unknown_parameter"),
    "an input of another type": ({"input": 5}, "input", "invalid_type"),
}


@operation("OpenAI", "a response with a wrong parameter")
@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_parameter_is_named(clients: Clients, name: str) -> None:
    given, param, code = REFUSED[name]
    with pytest.raises(openai.BadRequestError) as refused:
        clients.openai().responses.create(**{"model": MODEL, "input": "Say hello"} | given)
    assert (refused.value.param, refused.value.code) == (param, code)


@operation("OpenAI", "a response with a model that does not exist")
def test_an_unknown_model_is_not_found(clients: Clients) -> None:
    with pytest.raises((openai.BadRequestError, openai.NotFoundError)) as refused:
        clients.openai().responses.create(model=f"{clients.tag}-model", input="x")
    assert refused.value.code == "model_not_found"


@operation("OpenAI", "keep a conversation")
@writes
def test_a_conversation_holds_what_was_said(clients: Clients) -> None:
    client = clients.openai()
    talk = client.conversations.create(metadata={"case": clients.tag})
    try:
        client.responses.create(model=MODEL, input="My favourite word is quibble.", conversation=talk.id)
        done = client.responses.create(model=MODEL, input="What is my favourite word?", conversation=talk.id)
        assert "quibble" in done.output_text.lower()
        assert len(list(client.conversations.items.list(talk.id))) == 4
        assert client.conversations.retrieve(talk.id).metadata == {"case": clients.tag}
    finally:
        assert client.conversations.delete(talk.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.conversations.retrieve(talk.id)
