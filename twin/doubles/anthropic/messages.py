"""Messages: created whole or streamed, and their tokens counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from twin.doubles import schemas, speaker, words
from twin.doubles.anthropic import caching
from twin.doubles.anthropic.account import object_of
from twin.doubles.anthropic.checks import check, check_for
from twin.doubles.anthropic.events import lines_of
from twin.doubles.anthropic.listing import new_id
from twin.doubles.anthropic.models import callable_by

IMAGE_TOKENS = 1_600
SIGNATURE = "EqQBCgIYAhIM"
Body = Mapping[str, Any]


def _said(messages: Sequence[Body]) -> list[tuple[str, str]]:
    said = []
    for message in messages:
        content = message["content"]
        results = [block for block in content if block["type"] == "tool_result"] if isinstance(content, list) else []
        role = "tool" if results else message["role"]
        said.append((role, words.text_of(results or content)))
    return [pair for pair in said if pair[0] != "system"]


def _system(body: Body) -> str:
    inner = [words.text_of(message["content"]) for message in body["messages"] if message["role"] == "system"]
    return "\n".join([words.text_of(body.get("system") or ""), *inner])


def input_tokens(body: Body) -> int:
    """Tokens of the prompt: its texts, its tools, and a flat price for each image or document."""
    texts, flat = [], 0
    for message in body["messages"]:
        blocks = message["content"] if isinstance(message["content"], list) else [{"type": "text", "text": message["content"]}]
        for block in blocks:
            flat += IMAGE_TOKENS if block["type"] in ("image", "document") else 0
            texts.append(words.text_of(block) or schemas.compact(block.get("input") or ""))
    tools = schemas.compact(body["tools"]) if body.get("tools") else ""
    return 3 + 4 * len(body["messages"]) + flat + words.count(*texts, _system(body), tools)


def _tool_use(body: Body, said: Sequence[tuple[str, str]]) -> dict[str, Any] | None:
    tools = [tool for tool in body.get("tools") or () if "input_schema" in tool]
    choice = (body.get("tool_choice") or {"type": "auto"})["type"]
    if not tools or choice == "none" or (choice == "auto" and said[-1][0] == "tool"):
        return None
    prompt = next((text for role, text in reversed(said) if role == "user"), "")
    if choice == "tool":
        chosen = next(tool for tool in tools if tool["name"] == body["tool_choice"]["name"])
    else:
        found = schemas.asked_for(tools, prompt)
        if found is None and choice == "auto":
            return None
        chosen = dict(found or tools[0])
    filled = schemas.arguments(chosen["input_schema"], prompt)
    return {"type": "tool_use", "id": new_id("toolu"), "name": chosen["name"], "input": filled, "caller": {"type": "direct"}}


def _format(body: Body) -> Body | None:
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format")
    return wanted["schema"] if wanted and wanted.get("type") == "json_schema" else None


def _content(body: Body) -> tuple[list[dict[str, Any]], str, str | None]:
    """The blocks, the reason to stop, and the stop sequence."""
    if body["max_tokens"] == 0:
        return [], "max_tokens", None
    said = _said(body["messages"])
    blocks: list[dict[str, Any]] = []
    if (body.get("thinking") or {}).get("type") == "enabled":
        blocks.append(
            {"type": "thinking", "thinking": "The question is plain; I can respond directly.", "signature": SIGNATURE}
        )
    if use := _tool_use(body, said):
        return [*blocks, use], "tool_use", None
    if schema := _format(body):
        prompt = next((text for role, text in reversed(said) if role == "user"), "")
        text = schemas.compact(schemas.instance(schema, prompt))
    else:
        text = speaker.speak(_system(body), said)
    text, stop = words.until(text, body.get("stop_sequences") or ())
    text, was_cut = words.cut(text, body["max_tokens"])
    reason = "max_tokens" if was_cut else "stop_sequence" if stop else "end_turn"
    if text:
        blocks.append({"type": "text", "text": text, "citations": None})
    return blocks, reason, stop if reason == "stop_sequence" else None


def _spoken(blocks: Sequence[Body]) -> int:
    texts = [block.get("text") or block.get("thinking") or schemas.compact(block.get("input", "")) for block in blocks]
    return max(1, words.count(*texts)) if blocks else 0


def create(body: dict[str, Any], version: str, tier: str = "standard") -> dict[str, Any]:
    """The message of one request; raises RefusedError."""
    check(body, version)
    model = callable_by(body["model"])
    check_for(model, body)
    blocks, reason, stop = _content(body)
    usage = {
        **caching.usage_of(body, input_tokens(body)),
        "output_tokens": _spoken(blocks),
        "service_tier": tier,
        "inference_geo": "global",
    }
    return {
        "id": new_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": model.id,
        "content": blocks,
        "stop_reason": reason,
        "stop_sequence": stop,
        "stop_details": None,
        "usage": usage,
    }


async def created(request: Request) -> Response:
    """A message, whole or as events."""
    body = await object_of(request)
    message = await asyncio.to_thread(create, body, request.headers["anthropic-version"])
    if not body.get("stream"):
        return JSONResponse(message)
    headers = {"cache-control": "no-cache"}
    return StreamingResponse(lines_of(message), media_type="text/event-stream", headers=headers)


async def counted(request: Request) -> Response:
    """Tokens of a prompt that is not sent."""
    body = await object_of(request)
    check(body, request.headers["anthropic-version"], counts_only=True)
    callable_by(body["model"])
    return JSONResponse({"input_tokens": input_tokens(body)})
