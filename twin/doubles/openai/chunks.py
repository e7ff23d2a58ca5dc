"""A completion in the pieces in which it is streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twin.doubles import words

Chunk = dict[str, Any]


def of_chat(completion: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[Chunk]:
    """The chunks of a chat completion; with `include_usage`, one more with the usage."""
    wants_usage = options.get("include_usage")
    head = {key: completion[key] for key in ("id", "object", "created", "model", "service_tier", "system_fingerprint")} | {
        "object": "chat.completion.chunk"
    }
    end: Chunk = {"usage": None} if wants_usage else {}
    for choice in completion["choices"]:
        for delta, logprobs, finish in _deltas(choice):
            shown = {"index": choice["index"], "delta": delta, "logprobs": logprobs, "finish_reason": finish}
            yield {**head, "choices": [shown], **end}
    if wants_usage:
        yield {**head, "choices": [], "usage": completion["usage"]}


def _deltas(choice: Mapping[str, Any]) -> Iterator[tuple[Chunk, Chunk | None, str | None]]:
    message = choice["message"]
    if calls := message.get("tool_calls"):
        yield {"role": "assistant", "content": None, "refusal": None}, None, None
        for number, call in enumerate(calls):
            yield from ((delta, None, None) for delta in _call_deltas(number, call))
    else:
        yield {"role": "assistant", "content": "", "refusal": None}, None, None
        known = (choice["logprobs"] or {}).get("content")
        for number, token in enumerate(words.tokens(message["content"])):
            yield {"content": token}, {"content": [known[number]], "refusal": None} if known else None, None
    yield {}, None, choice["finish_reason"]


def _call_deltas(number: int, call: Mapping[str, Any]) -> Iterator[Chunk]:
    kind = call["type"]
    field = "arguments" if kind == "function" else "input"
    body = call[kind]
    yield {"tool_calls": [{"index": number, "id": call["id"], "type": kind, kind: {"name": body["name"], field: ""}}]}
    for token in words.tokens(body[field]):
        yield {"tool_calls": [{"index": number, kind: {field: token}}]}


def of_completion(completion: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[Chunk]:
    """The chunks of a legacy completion."""
    wants_usage = options.get("include_usage")
    head = {key: value for key, value in completion.items() if key not in ("choices", "usage")}
    end: Chunk = {"usage": None} if wants_usage else {}
    for choice in completion["choices"]:
        for token in words.tokens(choice["text"]):
            yield {**head, "choices": [{**choice, "text": token, "finish_reason": None}], **end}
        yield {**head, "choices": [{**choice, "text": ""}], **end}
    if wants_usage:
        yield {**head, "choices": [], "usage": completion["usage"]}
