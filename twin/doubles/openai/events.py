"""A response as the events in which it is streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twin.doubles import words

Event = dict[str, Any]


def events_of(response: Mapping[str, Any]) -> Iterator[Event]:
    """The events in order, numbered from 0."""
    for number, event in enumerate(_events(response)):
        yield {"type": event["type"], "sequence_number": number, **event}


def unfinished(status: str) -> Event:
    """What is different in a response that is not done yet."""
    return {"status": status, "completed_at": None, "incomplete_details": None, "output": []}


def _events(response: Mapping[str, Any]) -> Iterator[Event]:
    started = {key: value for key, value in response.items() if key != "usage"} | unfinished("in_progress")
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for index, item in enumerate(response["output"]):
        yield from (_call if item["type"] == "function_call" else _message)(index, item)
    yield {"type": f"response.{response['status']}", "response": dict(response)}


def _call(index: int, item: Mapping[str, Any]) -> Iterator[Event]:
    at = {"item_id": item["id"], "output_index": index}
    yield _item("added", index, {**item, "status": "in_progress", "arguments": ""})
    for token in words.tokens(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **at, "delta": token}
    yield {"type": "response.function_call_arguments.done", **at, "name": item["name"], "arguments": item["arguments"]}
    yield _item("done", index, item)


def _message(index: int, item: Mapping[str, Any]) -> Iterator[Event]:
    yield _item("added", index, {**item, "status": "in_progress", "content": []})
    for number, part in enumerate(item["content"]):
        at = {"item_id": item["id"], "output_index": index, "content_index": number}
        yield {"type": "response.content_part.added", **at, "part": {**part, "text": "", "logprobs": []}}
        for place, token in enumerate(words.tokens(part["text"])):
            yield {"type": "response.output_text.delta", **at, "delta": token, "logprobs": part["logprobs"][place : place + 1]}
        yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": part["logprobs"]}
        yield {"type": "response.content_part.done", **at, "part": part}
    yield _item("done", index, item)


def _item(what: str, index: int, item: Mapping[str, Any]) -> Event:
    return {"type": f"response.output_item.{what}", "output_index": index, "item": dict(item)}
