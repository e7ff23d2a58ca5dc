"""Anthropic's messages as an application developer uses them, through Anthropic's own client."""

import asyncio
import json
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, AuthenticationError, BadRequestError, NotFoundError
from anthropic.types import Message, MessageParam, ToolParam

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

TOKENS = 2048
HELLO: list[MessageParam] = [{"role": "user", "content": "Say hello in one short sentence."}]
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "The current weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
def client(clients: Clients) -> Anthropic:
    """Anthropic's client, with the time that a model may need to think."""
    return clients.anthropic(timeout=120)


@pytest.fixture
def model(client: Anthropic) -> str:
    """The first model of the list."""
    return client.models.list(limit=1).data[0].id


def text_of(message: Message) -> str:
    """The text of a message."""
    return "".join(block.text for block in message.content if block.type == "text")


@operation("Anthropic", "use a wrong key")
def test_a_wrong_key_is_refused(clients: Clients) -> None:
    with pytest.raises(AuthenticationError) as refused:
        clients.anthropic(api_key="sk-ant-not-a-key-of-no-account").models.list()
    assert refused.value.status_code == 401
    assert refused.value.type == "authentication_error"
    body: Any = refused.value.body
    assert body["type"] == "error"


@operation("Anthropic", "make a message")
@writes
def test_a_message_is_made(client: Anthropic, model: str) -> None:
    message = client.messages.create(model=model, max_tokens=TOKENS, messages=HELLO, system="You are polite.")
    assert (message.type, message.role) == ("message", "assistant")
    assert message.id
    assert message.model
    assert message.stop_reason == "end_turn"
    assert message.stop_sequence is None
    assert text_of(message)
    assert message.usage.input_tokens > 0
    assert 0 < message.usage.output_tokens <= TOKENS


@operation("Anthropic", "make a message within few tokens")
@writes
def test_a_message_is_cut_at_its_limit(client: Anthropic, model: str) -> None:
    story: list[MessageParam] = [{"role": "user", "content": "Write a story of five hundred words about a lighthouse."}]
    message = client.messages.create(model=model, max_tokens=8, messages=story)
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens <= 8


@operation("Anthropic", "stop a message at a sequence")
@writes
def test_a_message_stops_at_its_sequence(client: Anthropic, model: str) -> None:
    repeat: list[MessageParam] = [{"role": "user", "content": "Repeat exactly, and nothing else: ONE TWO THREE"}]
    message = client.messages.create(model=model, max_tokens=TOKENS, messages=repeat, stop_sequences=["THREE"])
    assert message.stop_reason == "stop_sequence"
    assert message.stop_sequence == "THREE"
    assert "THREE" not in text_of(message)


@operation("Anthropic", "stream the events of a message")
@writes
def test_a_stream_has_its_events_in_order(client: Anthropic, model: str) -> None:
    events = list(client.messages.create(model=model, max_tokens=TOKENS, messages=HELLO, stream=True))
    kinds = [event.type for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    open_block: int | None = None
    for event in events:
        if event.type == "message_start":
            assert event.message.content == []
            assert event.message.stop_reason is None
        elif event.type == "content_block_start":
            assert open_block is None
            open_block = event.index
        elif event.type == "content_block_delta":
            assert event.index == open_block
        elif event.type == "content_block_stop":
            assert event.index == open_block
            open_block = None
        elif event.type == "message_delta":
            assert event.delta.stop_reason == "end_turn"
            assert event.usage.output_tokens > 0
    assert open_block is None
    assert "content_block_delta" in kinds


@operation("Anthropic", "stream the text of a message")
@writes
def test_streamed_text_adds_up_to_the_message(client: Anthropic, model: str) -> None:
    with client.messages.stream(model=model, max_tokens=TOKENS, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert text
    assert text == text_of(message)
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0


@operation("Anthropic", "count the tokens of a message")
def test_tokens_are_counted(client: Anthropic, model: str) -> None:
    short = client.messages.count_tokens(model=model, messages=HELLO).input_tokens
    long: list[MessageParam] = [{"role": "user", "content": "Say hello in one short sentence. " * 50}]
    assert 0 < short < client.messages.count_tokens(model=model, messages=long).input_tokens
    assert short < client.messages.count_tokens(model=model, messages=HELLO, system="You are polite.").input_tokens
    assert short < client.messages.count_tokens(model=model, messages=HELLO, tools=[WEATHER]).input_tokens


@operation("Anthropic", "make a message of a request that is not valid")
def test_requests_are_checked(client: Anthropic, model: str) -> None:
    empty: list[MessageParam] = [{"role": "user", "content": [{"type": "text", "text": ""}]}]
    stranger: Any = [{"role": "stranger", "content": "Say hello."}]
    for messages in ([], empty, stranger):
        with pytest.raises(BadRequestError) as refused:
            client.messages.create(model=model, max_tokens=16, messages=messages)
        assert refused.value.status_code == 400
        assert refused.value.type == "invalid_request_error"
    with pytest.raises(BadRequestError):
        client.messages.create(model=model, max_tokens=-1, messages=HELLO)
    with pytest.raises(BadRequestError):
        client.messages.create(model=model, max_tokens=16, messages=HELLO, extra_body={"temperature": 1.5})
    with pytest.raises(BadRequestError):
        client.messages.create(model=model, max_tokens=16, messages=HELLO, extra_body={"no_such_field": 1})


@operation("Anthropic", "make a message with an unknown model")
def test_an_unknown_model_is_not_found(client: Anthropic) -> None:
    with pytest.raises(NotFoundError) as refused:
        client.messages.create(model="claude-of-no-vendor", max_tokens=16, messages=HELLO)
    assert refused.value.status_code == 404
    assert refused.value.type == "not_found_error"


@operation("Anthropic", "make a message that calls a tool")
@writes
def test_a_tool_is_called(client: Anthropic, model: str) -> None:
    ask: list[MessageParam] = [{"role": "user", "content": "Use get_weather to find out the weather in Lisbon."}]
    message = client.messages.create(model=model, max_tokens=TOKENS, messages=ask, tools=[WEATHER])
    assert message.stop_reason == "tool_use"
    (call,) = [block for block in message.content if block.type == "tool_use"]
    assert call.id
    assert call.name == "get_weather"
    assert isinstance(call.input["city"], str)
    answer: list[MessageParam] = [
        *ask,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny, 21 degrees"}]},
    ]
    final = client.messages.create(model=model, max_tokens=TOKENS, messages=answer, tools=[WEATHER])
    assert final.stop_reason == "end_turn"
    assert text_of(final)


@operation("Anthropic", "give a result for a tool that was not called")
def test_a_tool_result_needs_its_call(client: Anthropic, model: str) -> None:
    orphan: list[MessageParam] = [
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01Stranger", "content": "sunny"}]}
    ]
    with pytest.raises(BadRequestError) as refused:
        client.messages.create(model=model, max_tokens=16, messages=orphan, tools=[WEATHER])
    assert refused.value.type == "invalid_request_error"


@operation("Anthropic", "make a message in a JSON schema")
@writes
def test_a_message_follows_its_schema(client: Anthropic, model: str) -> None:
    properties = {"city": {"type": "string"}, "country": {"type": "string"}}
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    message = client.messages.create(
        model=model,
        max_tokens=TOKENS,
        messages=[{"role": "user", "content": "Name the capital of Portugal."}],
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    assert set(json.loads(text_of(message))) == {"city", "country"}


@operation("Anthropic", "mark a short prompt for the cache")
@writes
def test_a_short_prompt_is_not_cached(client: Anthropic, model: str) -> None:
    message = client.messages.create(
        model=model,
        max_tokens=TOKENS,
        messages=HELLO,
        system=[{"type": "text", "text": "You are polite.", "cache_control": {"type": "ephemeral"}}],
    )
    assert message.usage.cache_creation_input_tokens == 0
    assert message.usage.cache_read_input_tokens == 0


@operation("Anthropic", "read the headers of a response and of a refusal")
@writes
def test_responses_name_their_request(client: Anthropic, model: str) -> None:
    raw = client.messages.with_raw_response.create(model=model, max_tokens=16, messages=HELLO)
    assert raw.headers["request-id"]
    assert raw.parse()._request_id == raw.headers["request-id"]
    for kind in ("requests", "input-tokens", "output-tokens"):
        limit = int(raw.headers[f"anthropic-ratelimit-{kind}-limit"])
        assert 0 <= int(raw.headers[f"anthropic-ratelimit-{kind}-remaining"]) <= limit
        assert raw.headers[f"anthropic-ratelimit-{kind}-reset"]
    with pytest.raises(anthropic.APIStatusError) as refused:
        client.models.retrieve("claude-of-no-vendor")
    body: Any = refused.value.body
    assert refused.value.request_id == body["request_id"]
    assert body["request_id"] != raw.headers["request-id"]


@operation("Anthropic", "make messages from several tasks at once")
@writes
def test_simultaneous_messages_are_distinct(clients: Clients, model: str) -> None:
    async def run() -> list[Message]:
        async with clients.anthropic_async(timeout=120) as client:
            made = (client.messages.create(model=model, max_tokens=TOKENS, messages=HELLO) for _ in range(3))
            return await asyncio.gather(*made)

    messages = asyncio.run(run())
    assert len({message.id for message in messages}) == 3
    assert all(text_of(message) for message in messages)
