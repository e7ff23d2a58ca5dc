"""A message as the events in which it is streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from twin.doubles import words
from twin.doubles.schemas import compact

Event = dict[str, Any]


async def lines_of(message: Mapping[str, Any]) -> AsyncIterator[str]:
    """The events as they are sent, named by their type."""
    for event in events_of(message):
        yield f"event: {event['type']}\ndata: {compact(event)}\n\n"


def events_of(message: Mapping[str, Any]) -> Iterator[Event]:
    """The events in order."""
    unknown: Event = dict.fromkeys(("stop_reason", "stop_sequence", "stop_details"))
    usage = {**message["usage"], "output_tokens": 1}
    yield {"type": "message_start", "message": {**message, **unknown, "content": [], "usage": usage}}
    for index, block in enumerate(message["content"]):
        empty, deltas = _pieces(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        if index == 0:
            yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {key: message[key] for key in ("stop_reason", "stop_sequence", "stop_details")}
    counted = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    yield {"type": "message_delta", "delta": ended, "usage": {key: message["usage"][key] for key in counted}}
    yield {"type": "message_stop"}


def _pieces(block: Mapping[str, Any]) -> tuple[Event, list[Event]]:
    match block["type"]:
        case "tool_use":
            text = compact(block["input"])
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *words.tokens(text))]
            return {**block, "input": {}}, deltas
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in words.tokens(block["thinking"])]
            return {**block, "thinking": "", "signature": ""}, [
                *deltas,
                {"type": "signature_delta", "signature": block["signature"]},
            ]
    return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in words.tokens(block["text"])]
