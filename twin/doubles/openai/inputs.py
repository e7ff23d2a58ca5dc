"""Input of the Responses API: a text or items, checked and kept as items with ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin.doubles import schemas, words
from twin.doubles.openai.errors import RefusedError, missing
from twin.doubles.openai.listing import new_id
from twin.doubles.openai.parameters import mistyped, sized, unsupported

Item = dict[str, Any]
ROLES = ("assistant", "system", "developer", "user")
PARTS = ("input_text", "input_image", "input_file", "input_audio", "output_text", "refusal")
PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}


def items_of(given: Any, name: str = "input") -> list[Item]:
    """The input as items with ids; raises RefusedError."""
    if given is None:
        raise missing(name)
    if isinstance(given, str):
        return [_message("user", [{"type": "input_text", "text": given}])]
    if not isinstance(given, list):
        raise mistyped(name, "one of a string or an array of input items", given)
    sized(name, given, 1, None)
    return [_item(f"{name}[{number}]", item) for number, item in enumerate(given)]


def _message(role: str, content: list[Item]) -> Item:
    return {"id": new_id("msg"), "type": "message", "status": "completed", "role": role, "content": content}


def _item(at: str, given: Any) -> Item:
    if not isinstance(given, dict):
        raise mistyped(at, "an object", given)
    kind = given.get("type", "message")
    if kind == "message":
        return _of_message(at, given)
    if kind == "function_call_output":
        for field in ("call_id", "output"):
            if field not in given:
                raise missing(f"{at}.{field}")
    return {"id": given.get("id") or new_id(PREFIXES.get(kind, "item")), **given}


def _of_message(at: str, given: Mapping[str, Any]) -> Item:
    role, content = given.get("role"), given.get("content")
    if role is None:
        raise missing(f"{at}.role")
    if role not in ROLES:
        raise unsupported(f"{at}.role", role, ROLES)
    if content is None:
        raise missing(f"{at}.content")
    kind = "output_text" if role == "assistant" else "input_text"
    if isinstance(content, str):
        content = [{"type": kind, "text": content}]
    for number, part in enumerate(content):
        if not isinstance(part, dict) or part.get("type") not in PARTS:
            raise unsupported(f"{at}.content[{number}].type", part.get("type") if isinstance(part, dict) else part, PARTS)
    parts = [part | ({"annotations": [], "logprobs": []} if part["type"] == "output_text" else {}) for part in content]
    return {**_message(role, parts), **({"id": given["id"]} if given.get("id") else {})}


def check_calls(items: Sequence[Mapping[str, Any]]) -> None:
    """Raise RefusedError for a tool's output that nothing called for, or a call without its output."""
    called = {item.get("call_id") for item in items if item["type"] == "function_call"}
    returned = {item.get("call_id") for item in items if item["type"] == "function_call_output"}
    for call in returned - called:
        raise RefusedError(f"No tool call found for function call output with call_id {call}.", "input")
    for call in called - returned:
        raise RefusedError(f"No tool output found for function call {call}.", "input")


def said_in(items: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The conversation as (role, text), without what the system said."""
    said = []
    for item in items:
        if item["type"] == "message" and item["role"] not in ("system", "developer"):
            said.append((item["role"], words.text_of(item["content"])))
        elif item["type"] == "function_call_output":
            said.append(("tool", words.text_of(item["output"])))
    return said


def system_in(items: Sequence[Mapping[str, Any]]) -> str:
    """What the system and the developer said."""
    texts = [words.text_of(i["content"]) for i in items if i["type"] == "message" and i["role"] in ("system", "developer")]
    return "\n".join(texts)


def tokens_of(items: Sequence[Mapping[str, Any]], instructions: Any, tools: Any) -> int:
    """Tokens of the prompt."""
    texts = [words.text_of(item.get("content") or item.get("output") or item.get("arguments")) for item in items]
    described = schemas.compact(tools) if tools else ""
    return 3 + 4 * len(items) + words.count(*texts, words.text_of(instructions or ""), described)
