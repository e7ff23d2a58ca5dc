"""OpenAI's chat completions and responses as an application developer uses them, through OpenAI's own client."""

import json
from typing import Any

import pytest
from openai import BadRequestError, NotFoundError

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

MODEL = "gpt-4o-mini"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "country": {"type": "string"}},
    "required": ["city", "country"],
    "additionalProperties": False,
}


@operation("OpenAI", "complete a chat")
@writes
def test_a_chat_is_completed(clients: Clients) -> None:
    answer = clients.openai().chat.completions.create(
        model=MODEL,
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello."}],
        n=2,
    )
    assert answer.object == "chat.completion"
    assert answer.id.startswith("chatcmpl-")
    assert answer.model.startswith(MODEL)
    assert sorted(choice.index for choice in answer.choices) == [0, 1]
    for choice in answer.choices:
        assert choice.message.role == "assistant"
        assert choice.message.content
        assert choice.message.refusal is None
        assert choice.finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@operation("OpenAI", "complete a chat within few tokens")
@writes
def test_an_answer_is_cut_at_its_limit(clients: Clients) -> None:
    answer = clients.openai().chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Write a story of five hundred words about a lighthouse."}],
        max_completion_tokens=5,
    )
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert 0 < answer.usage.completion_tokens <= 5


@operation("OpenAI", "stream a chat with its usage")
@writes
def test_a_stream_ends_with_its_usage(clients: Clients) -> None:
    chunks = list(
        clients.openai().chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "Say hello."}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    reasons = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
    assert reasons[-1] == "stop"
    assert set(reasons[:-1]) <= {None}
    assert chunks[-1].choices == []
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


@operation("OpenAI", "complete a chat in a JSON schema")
@writes
def test_an_answer_follows_its_schema(clients: Clients) -> None:
    answer = clients.openai().chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Name the capital of Portugal."}],
        response_format={"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": SCHEMA}},
    )
    place = json.loads(answer.choices[0].message.content or "")
    assert set(place) == {"city", "country"}
    assert all(isinstance(value, str) for value in place.values())


@operation("OpenAI", "complete a chat with a required tool")
@writes
def test_a_required_tool_is_called(clients: Clients) -> None:
    answer = clients.openai().chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "What is the weather in Lisbon, Portugal?"}],
        tools=[{"type": "function", "function": {"name": "get_weather", "strict": True, "parameters": SCHEMA}}],
        tool_choice="required",
        parallel_tool_calls=False,
    )
    (call,) = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert call.id
    assert call.function.name == "get_weather"
    assert set(json.loads(call.function.arguments)) == {"city", "country"}


@operation("OpenAI", "complete a chat with requests that are not valid")
def test_requests_are_checked(clients: Clients) -> None:
    completions = clients.openai().chat.completions
    message: Any = {"role": "user", "content": "Say hello."}
    wrong: list[dict[str, Any]] = [
        {"messages": []},
        {"messages": [message], "temperature": 3},
        {"messages": [{"role": "stranger", "content": "Say hello."}]},
        {"messages": [message], "response_format": {"type": "json_object"}},
        {"messages": [{"role": "tool", "content": "sunny", "tool_call_id": "call_1"}]},
    ]
    for given in wrong:
        with pytest.raises(BadRequestError) as refused:
            completions.create(model=MODEL, **given)
        assert refused.value.status_code == 400
        assert refused.value.type == "invalid_request_error"
    with pytest.raises(NotFoundError) as unknown:
        completions.create(model="gpt-of-no-vendor", messages=[message])
    assert unknown.value.code == "model_not_found"


@operation("OpenAI", "make a response, read it, continue it and delete it")
@writes
def test_a_response_is_kept_until_deleted(clients: Clients) -> None:
    responses = clients.openai().responses
    made = responses.create(model=MODEL, input="Say hello.", instructions="Be brief.")
    try:
        assert made.object == "response"
        assert made.id.startswith("resp_")
        assert made.status == "completed"
        assert made.output_text
        assert made.usage is not None
        assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
        assert responses.retrieve(made.id).output_text == made.output_text
        following = responses.create(model=MODEL, input="Again.", previous_response_id=made.id, store=False)
        assert following.previous_response_id == made.id
    finally:
        responses.delete(made.id)
    with pytest.raises(NotFoundError):
        responses.retrieve(made.id)
