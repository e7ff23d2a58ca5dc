"""Messages of a chat, checked in the order in which OpenAI checks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin.doubles import words
from twin.doubles.openai.errors import RefusedError, missing
from twin.doubles.openai.parameters import mistyped, sized, unsupported

ROLES = ("system", "assistant", "user", "function", "tool", "developer")
SYSTEM = ("system", "developer")
PARTS = ("text", "image_url", "input_audio", "refusal", "file")
Message = Mapping[str, Any]


def checked(messages: Any) -> list[Message]:
    """The messages, when OpenAI would accept them."""
    if messages is None:
        raise missing("messages")
    if not isinstance(messages, list):
        raise mistyped("messages", "an array of objects", messages)
    sized("messages", messages, 1, 2048)
    for number, message in enumerate(messages):
        _check(f"messages[{number}]", message)
    _check_tools(messages)
    return messages


def _check(at: str, message: Any) -> None:
    if not isinstance(message, dict):
        raise mistyped(at, "an object", message)
    role = message.get("role")
    if role is None:
        raise missing(f"{at}.role")
    if role not in ROLES:
        raise unsupported(f"{at}.role", role, ROLES)
    content = message.get("content")
    if content is None and not (role == "assistant" and (message.get("tool_calls") or message.get("function_call"))):
        if "content" not in message and role != "assistant":
            raise missing(f"{at}.content")
        raise mistyped(f"{at}.content", "one of a string or array of objects", content)
    if content is not None and not isinstance(content, (str, list)):
        raise mistyped(f"{at}.content", "one of a string or array of objects", content)
    for number, part in enumerate(content if isinstance(content, list) else ()):
        _check_part(f"{at}.content[{number}]", part)
    if role == "tool" and not message.get("tool_call_id"):
        raise missing(f"{at}.tool_call_id")


def _check_part(at: str, part: Any) -> None:
    if not isinstance(part, dict):
        raise mistyped(at, "an object", part)
    kind = part.get("type")
    if kind is None:
        raise missing(f"{at}.type")
    if kind not in PARTS:
        raise unsupported(f"{at}.type", kind, PARTS)
    if kind not in part:
        raise missing(f"{at}.{kind}")


def _check_tools(messages: Sequence[Message]) -> None:
    wanted: set[str] = set()
    for number, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in wanted:
                must = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                raise RefusedError(f"Invalid parameter: {must}", f"messages.[{number}].role")
            wanted.discard(message["tool_call_id"])
            continue
        if wanted:
            break
        wanted = {call.get("id") for call in message.get("tool_calls") or ()}
    if wanted:
        text = "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
        raise RefusedError(f"{text} Without a response: {', '.join(sorted(map(str, wanted)))}", "messages")


def system_of(messages: Sequence[Message]) -> str:
    """What the system and the developer said."""
    return "\n".join(words.text_of(message.get("content")) for message in messages if message["role"] in SYSTEM)


def said_in(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """The conversation as (role, text)."""
    return [(m["role"], words.text_of(m.get("content"))) for m in messages if m["role"] not in SYSTEM]


def tokens_of(messages: Sequence[Message]) -> int:
    """Tokens of the prompt."""
    return 3 + sum(4 + words.count(words.text_of(message.get("content"))) for message in messages)
