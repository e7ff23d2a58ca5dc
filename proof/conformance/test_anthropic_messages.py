"""Anthropic: messages, streams, tools."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from anthropic.types import MessageParam, ToolParam
from pydantic import BaseModel

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

MODEL = "claude-haiku-4-5"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "Current weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class Plan(BaseModel):
    """An insurance plan."""

    name: str
    price: float


def asks(text: str) -> list[MessageParam]:
    """A conversation of one question."""
    return [{"role": "user", "content": text}]


@operation("Anthropic", "create a message")
@writes
def test_a_message_has_its_parts(clients: Clients) -> None:
    made = clients.anthropic().messages.create(model=MODEL, max_tokens=64, messages=asks("Reply with exactly: pong"))
    assert made.id.startswith("msg_")
    assert (made.type, made.role, made.stop_reason, made.stop_sequence) == ("message", "assistant", "end_turn", None)
    assert made.model.startswith(MODEL)
    assert made.content[0].type == "text"
    assert "pong" in made.content[0].text.lower()
    assert min(made.usage.input_tokens, made.usage.output_tokens) > 0


@operation("Anthropic", "create a message, asynchronously")
@writes
def test_a_message_is_created_asynchronously(clients: Clients) -> None:
    async def ask() -> Any:
        async with clients.anthropic_async() as client:
            return await client.messages.create(model=MODEL, max_tokens=64, messages=asks("Reply with exactly: pong"))

    assert "pong" in asyncio.run(ask()).content[0].text.lower()


@operation("Anthropic", "a system prompt")
@writes
def test_the_system_prompt_is_followed(clients: Clients) -> None:
    made = clients.anthropic().messages.create(
        model=MODEL,
        max_tokens=64,
        system=[{"type": "text", "text": "Reply with exactly: pong"}],
        messages=asks("ping"),
    )
    assert made.content[0].type == "text"
    assert "pong" in made.content[0].text.lower()


@operation("Anthropic", "a conversation of several turns")
@writes
def test_earlier_turns_are_known(clients: Clients) -> None:
    turns: list[MessageParam] = [
        {"role": "user", "content": "My favourite word is quibble."},
        {"role": "assistant", "content": "A fine word."},
        {"role": "user", "content": "What is my favourite word?"},
    ]
    made = clients.anthropic().messages.create(model=MODEL, max_tokens=64, messages=turns)
    assert made.content[0].type == "text"
    assert "quibble" in made.content[0].text.lower()


@operation("Anthropic", "limit the tokens of a message")
@writes
def test_a_limit_of_tokens_ends_the_text(clients: Clients) -> None:
    made = clients.anthropic().messages.create(model=MODEL, max_tokens=5, messages=asks("Write a long story."))
    assert made.stop_reason == "max_tokens"
    assert made.usage.output_tokens <= 5


@operation("Anthropic", "stop sequences of a message")
@writes
def test_a_stop_sequence_ends_the_text(clients: Clients) -> None:
    question = "Count from 1 to 9, separated by commas, and write nothing else."
    made = clients.anthropic().messages.create(model=MODEL, max_tokens=64, messages=asks(question), stop_sequences=["5"])
    assert (made.stop_reason, made.stop_sequence) == ("stop_sequence", "5")
    assert made.content[0].type == "text"
    assert "4" in made.content[0].text
    assert "5" not in made.content[0].text


@operation("Anthropic", "images and documents in a message")
@writes
def test_blocks_of_content_are_taken(clients: Clients) -> None:
    content: Any = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "The plan costs $20."}},
        {"type": "text", "text": "Reply with exactly: pong"},
    ]
    made = clients.anthropic().messages.create(model=MODEL, max_tokens=64, messages=[{"role": "user", "content": content}])
    assert made.content[0].type == "text"


@operation("Anthropic", "call a tool and return its result")
@writes
def test_a_tool_is_called_and_its_result_taken_up(clients: Clients) -> None:
    client, messages = clients.anthropic(), asks("What is the weather in Paris?")
    first = client.messages.create(model=MODEL, max_tokens=256, messages=messages, tools=[WEATHER], tool_choice={"type": "any"})
    assert first.stop_reason == "tool_use"
    use = first.content[-1]
    assert use.type == "tool_use"
    assert use.id.startswith("toolu_")
    assert (use.name, use.input) == ("get_weather", {"city": "Paris"})
    result: Any = {"type": "tool_result", "tool_use_id": use.id, "content": "21 degrees"}
    turns: list[MessageParam] = [*messages, first.to_param(), {"role": "user", "content": [result]}]
    done = client.messages.create(model=MODEL, max_tokens=256, messages=turns, tools=[WEATHER])
    assert done.stop_reason == "end_turn"
    assert done.content[0].type == "text"
    assert "21" in done.content[0].text


@operation("Anthropic", "forbid tools")
@writes
def test_no_tool_is_called_when_none_may_be(clients: Clients) -> None:
    made = clients.anthropic().messages.create(
        model=MODEL, max_tokens=256, messages=asks("Say hello"), tools=[WEATHER], tool_choice={"type": "none"}
    )
    assert {block.type for block in made.content} == {"text"}


@operation("Anthropic", "structured outputs by a JSON schema")
@writes
def test_a_schema_is_kept(clients: Clients) -> None:
    made = clients.anthropic().messages.parse(
        model=MODEL, max_tokens=256, messages=asks("The plan “Gold” costs 120 dollars."), output_format=Plan
    )
    assert made.parsed_output
    assert (made.parsed_output.name, made.parsed_output.price) == ("Gold", 120)


@operation("Anthropic", "thinking before the text")
@writes
def test_thinking_comes_before_the_text(clients: Clients) -> None:
    made = clients.anthropic().messages.create(
        model=MODEL,
        max_tokens=2048,
        messages=asks("What is 27 * 453?"),
        thinking={"type": "enabled", "budget_tokens": 1024},
    )
    assert [block.type for block in made.content] == ["thinking", "text"]
    assert made.content[0].type == "thinking"
    assert made.content[0].signature
    assert made.content[1].type == "text"
    assert "12231" in made.content[1].text.replace(",", "")


@operation("Anthropic", "stream a message")
@writes
def test_events_come_in_order(clients: Clients) -> None:
    stream = clients.anthropic().messages.create(model=MODEL, max_tokens=64, messages=asks("Say hello"), stream=True)
    events: list[Any] = list(stream)
    assert list(dict.fromkeys(event.type for event in events)) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[0].message.content == []
    assert events[0].message.stop_reason is None
    assert events[-2].delta.stop_reason == "end_turn"
    assert events[-2].usage.output_tokens > 0
    assert "".join(event.delta.text for event in events if event.type == "content_block_delta")


@operation("Anthropic", "stream a message with the client's helper")
@writes
def test_the_helper_gathers_the_stream(clients: Clients) -> None:
    with clients.anthropic().messages.stream(model=MODEL, max_tokens=64, messages=asks("Say hello")) as stream:
        text = "".join(stream.text_stream)
        whole = stream.get_final_message()
    assert whole.content[0].type == "text"
    assert whole.content[0].text == text
    assert whole.stop_reason == "end_turn"
    assert stream.response.headers["content-type"].startswith("text/event-stream")


@operation("Anthropic", "stream a tool's input, asynchronously")
@writes
def test_a_tools_input_is_streamed(clients: Clients) -> None:
    async def ask() -> tuple[str, Any]:
        async with (
            clients.anthropic_async() as client,
            client.messages.stream(
                model=MODEL,
                max_tokens=256,
                messages=asks("What is the weather in Paris?"),
                tools=[WEATHER],
                tool_choice={"type": "tool", "name": "get_weather"},
            ) as stream,
        ):
            pieces = [event.partial_json async for event in stream if event.type == "input_json"]
            return "".join(pieces), await stream.get_final_message()

    pieces, whole = asyncio.run(ask())
    assert json.loads(pieces) == whole.content[0].input == {"city": "Paris"}
    assert whole.stop_reason == "tool_use"


@operation("Anthropic", "count tokens")
def test_tokens_are_counted(clients: Clients) -> None:
    client = clients.anthropic()
    short = client.messages.count_tokens(model=MODEL, messages=asks("Say hello"))
    longer = client.messages.count_tokens(model=MODEL, messages=asks("Say hello"), system="Be brief.", tools=[WEATHER])
    assert 0 < short.input_tokens < longer.input_tokens


@operation("Anthropic", "count the tokens that a message then uses")
@writes
def test_the_count_is_what_is_used(clients: Clients) -> None:
    client = clients.anthropic()
    counted = client.messages.count_tokens(model=MODEL, messages=asks("Say hello"))
    made = client.messages.create(model=MODEL, max_tokens=64, messages=asks("Say hello"))
    assert made.usage.input_tokens == counted.input_tokens


@operation("Anthropic", "headers of a response")
@writes
def test_a_response_has_request_id_and_limits(clients: Clients) -> None:
    raw = clients.anthropic().messages.with_raw_response.create(model=MODEL, max_tokens=8, messages=asks("Say hello"))
    assert raw.headers["request-id"].startswith("req_")
    assert raw.headers["anthropic-organization-id"]
    for name in ("requests", "tokens", "input-tokens", "output-tokens"):
        limit = int(raw.headers[f"anthropic-ratelimit-{name}-limit"])
        assert 0 <= int(raw.headers[f"anthropic-ratelimit-{name}-remaining"]) <= limit
        assert raw.headers[f"anthropic-ratelimit-{name}-reset"].endswith("Z")
