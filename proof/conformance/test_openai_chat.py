"""OpenAI: chat completions."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

MODEL = "gpt-4o-mini"
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Plan(BaseModel):
    """An insurance plan."""

    name: str
    price: float
    tier: str | None


def asks(text: str) -> list[ChatCompletionMessageParam]:
    """A conversation of one question."""
    return [{"role": "user", "content": text}]


@operation("OpenAI", "create a chat completion")
@writes
def test_a_completion_has_its_parts(clients: Clients) -> None:
    done = clients.openai().chat.completions.create(model=MODEL, messages=asks("Reply with exactly: pong"), temperature=0)
    assert done.object == "chat.completion"
    assert done.id.startswith("chatcmpl-")
    assert done.model.startswith(MODEL)
    choice = done.choices[0]
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert "pong" in (choice.message.content or "").lower()
    assert done.usage
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens
    assert min(done.usage.prompt_tokens, done.usage.completion_tokens) > 0


@operation("OpenAI", "create a chat completion, asynchronously")
@writes
def test_a_completion_is_created_asynchronously(clients: Clients) -> None:
    async def ask() -> str:
        async with clients.openai_async() as client:
            done = await client.chat.completions.create(model=MODEL, messages=asks("Reply with exactly: pong"))
            return str(done.choices[0].message.content)

    assert "pong" in asyncio.run(ask()).lower()


@operation("OpenAI", "limit the tokens of a chat completion")
@writes
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_of_tokens_ends_the_text(clients: Clients, name: str) -> None:
    limit: dict[str, Any] = {name: 5}
    done = clients.openai().chat.completions.create(model=MODEL, messages=asks("Write a long story."), **limit)
    assert done.choices[0].finish_reason == "length"
    assert done.usage
    assert done.usage.completion_tokens == 5


@operation("OpenAI", "stop sequences of a chat completion")
@writes
def test_a_stop_sequence_ends_the_text(clients: Clients) -> None:
    question = "Count from 1 to 9, separated by commas, and write nothing else."
    done = clients.openai().chat.completions.create(model=MODEL, messages=asks(question), stop=["5"], temperature=0)
    text = done.choices[0].message.content or ""
    assert "4" in text
    assert "5" not in text
    assert done.choices[0].finish_reason == "stop"


@operation("OpenAI", "several choices of a chat completion")
@writes
def test_several_choices_are_numbered(clients: Clients) -> None:
    done = clients.openai().chat.completions.create(model=MODEL, messages=asks("Say hello"), n=3)
    assert [choice.index for choice in done.choices] == [0, 1, 2]


@operation("OpenAI", "log probabilities of a chat completion")
@writes
def test_log_probabilities_are_those_of_the_tokens(clients: Clients) -> None:
    done = clients.openai().chat.completions.create(model=MODEL, messages=asks("Say hello"), logprobs=True, top_logprobs=2)
    choice = done.choices[0]
    assert choice.logprobs
    assert choice.logprobs.content
    assert "".join(one.token for one in choice.logprobs.content) == choice.message.content
    assert all(one.logprob <= 0 and len(one.top_logprobs) == 2 for one in choice.logprobs.content)


@operation("OpenAI", "stream a chat completion")
@writes
def test_a_stream_ends_with_the_reason_and_the_usage(clients: Clients) -> None:
    stream = clients.openai().chat.completions.create(
        model=MODEL, messages=asks("Say hello"), stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


@operation("OpenAI", "stream a chat completion with the client's helper")
@writes
def test_the_helper_gathers_the_stream(clients: Clients) -> None:
    with clients.openai().chat.completions.stream(model=MODEL, messages=asks("Say hello")) as stream:
        texts = [event.delta for event in stream if event.type == "content.delta"]
        whole = stream.get_final_completion()
    assert "".join(texts) == whole.choices[0].message.content
    assert whole.choices[0].finish_reason == "stop"


@operation("OpenAI", "call a tool that the request names")
@writes
def test_a_named_tool_is_called(clients: Clients) -> None:
    done = clients.openai().chat.completions.create(
        model=MODEL,
        messages=asks("What is the weather in Paris?"),
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
    )
    calls = done.choices[0].message.tool_calls
    assert calls
    assert calls[0].type == "function"
    assert calls[0].function.name == "get_weather"
    assert "Paris" in json.loads(calls[0].function.arguments)["city"]


@operation("OpenAI", "return a tool's result")
@writes
def test_a_tools_result_is_taken_up(clients: Clients) -> None:
    client, messages = clients.openai(), asks("What is the weather in Paris?")
    first = client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER], tool_choice="required")
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert message.content is None
    assert message.tool_calls
    called: Any = message.model_dump(exclude_none=True)
    result: ChatCompletionMessageParam = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "21 degrees"}
    done = client.chat.completions.create(model=MODEL, messages=[*messages, called, result], tools=[WEATHER])
    assert "21" in (done.choices[0].message.content or "")


@operation("OpenAI", "forbid tools")
@writes
def test_no_tool_is_called_when_none_may_be(clients: Clients) -> None:
    done = clients.openai().chat.completions.create(
        model=MODEL, messages=asks("What is the weather in Paris?"), tools=[WEATHER], tool_choice="none"
    )
    assert done.choices[0].message.content
    assert not done.choices[0].message.tool_calls


@operation("OpenAI", "stream a tool's arguments")
@writes
def test_a_tools_arguments_are_streamed(clients: Clients) -> None:
    stream = clients.openai().chat.completions.create(
        model=MODEL, messages=asks("What is the weather in Paris?"), tools=[WEATHER], tool_choice="required", stream=True
    )
    calls = [call for chunk in stream for choice in chunk.choices for call in choice.delta.tool_calls or ()]
    assert calls[0].id
    assert calls[0].function
    assert calls[0].function.name == "get_weather"
    assert "city" in json.loads("".join(call.function.arguments or "" for call in calls if call.function))


@operation("OpenAI", "structured outputs by a JSON schema")
@writes
def test_a_schema_is_kept(clients: Clients) -> None:
    done = clients.openai().chat.completions.parse(
        model=MODEL, messages=asks("The plan “Gold” costs 120 dollars."), response_format=Plan
    )
    plan = done.choices[0].message.parsed
    assert plan
    assert (plan.name, plan.price) == ("Gold", 120)


@operation("OpenAI", "JSON mode")
@writes
def test_json_mode_returns_an_object(clients: Clients) -> None:
    done = clients.openai().chat.completions.create(
        model=MODEL, messages=asks("Reply in JSON with a greeting."), response_format={"type": "json_object"}
    )
    assert isinstance(json.loads(done.choices[0].message.content or ""), dict)


@operation("OpenAI", "images in a chat")
@writes
def test_parts_of_a_message_are_taken(clients: Clients) -> None:
    content: Any = [{"type": "text", "text": "Say hello"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    done = clients.openai().chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])
    assert done.choices[0].message.content


@operation("OpenAI", "keep, list, change and delete chat completions")
@writes
def test_a_stored_completion_is_kept(clients: Clients) -> None:
    client = clients.openai()
    made = client.chat.completions.create(model=MODEL, messages=asks("Say hello"), store=True, metadata={"case": clients.tag})
    try:
        assert client.chat.completions.retrieve(made.id).choices[0].message.content == made.choices[0].message.content
        assert made.id in {one.id for one in client.chat.completions.list(metadata={"case": clients.tag})}
        changed = client.chat.completions.update(made.id, metadata={"case": clients.tag, "seen": "yes"})
        assert changed.metadata == {"case": clients.tag, "seen": "yes"}
        assert [one.content for one in client.chat.completions.messages.list(made.id)] == ["Say hello"]
    finally:
        assert client.chat.completions.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.retrieve(made.id)
