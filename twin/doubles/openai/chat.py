"""Chat completions, those that are stored among them."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles import schemas, speaker, words
from twin.doubles.openai import chunks, sse
from twin.doubles.openai.conversation import Message, checked, said_in, system_of, tokens_of
from twin.doubles.openai.listing import Kept, new_id, page
from twin.doubles.openai.logprobs import logprobs_of
from twin.doubles.openai.models import check_window, snapshot, talking
from twin.doubles.openai.options import check
from twin.doubles.openai.parameters import Parameters, object_of

FINGERPRINT = "fp_44709d6fcb"


def tool_call(name: str, arguments: str, kind: str = "function") -> dict[str, Any]:
    """One call of a tool."""
    body = {"name": name, "arguments": arguments} if kind == "function" else {"name": name, "input": arguments}
    return {"id": f"call_{uuid.uuid4().hex[:24]}", "type": kind, kind: body}


def _call(given: Parameters, said: Sequence[tuple[str, str]]) -> dict[str, Any] | None:
    tools = {tool[tool["type"]]["name"]: tool for tool in given.get("tools", ())}
    choice = given.get("tool_choice", "auto" if tools else "none")
    prompt = next((text for role, text in reversed(said) if role == "user"), "")
    if isinstance(choice, dict):
        chosen = tools.get((choice.get(choice.get("type", "function")) or {}).get("name")) or next(iter(tools.values()))
    elif choice == "none" or (choice == "auto" and said and said[-1][0] == "tool"):
        return None
    else:
        best = schemas.asked_for([tool[tool["type"]] for tool in tools.values()], prompt)
        if best is None and choice != "required":
            return None
        chosen = tools[best["name"]] if best else next(iter(tools.values()))
    kind = chosen["type"]
    described = chosen[kind]
    filled = schemas.compact(schemas.arguments(described.get("parameters"), prompt)) if kind == "function" else prompt
    return tool_call(described["name"], filled, kind)


def _text(given: Parameters, messages: Sequence[Message]) -> str:
    said = said_in(messages)
    wanted = given.get("response_format", {})
    prompt = next((text for role, text in reversed(said) if role == "user"), "")
    if wanted.get("type") == "json_schema":
        return schemas.compact(schemas.instance(wanted["json_schema"].get("schema") or {}, prompt))
    text = speaker.speak(system_of(messages), said)
    return schemas.compact({"answer": text}) if wanted.get("type") == "json_object" else text


def _choice(number: int, given: Parameters, messages: Sequence[Message]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    finish, logprobs = "stop", None
    if call := _call(given, said_in(messages)):
        message["tool_calls"] = [call]
        # A tool that was named is called without the model's having decided so.
        finish = "stop" if isinstance(given.get("tool_choice"), dict) else "tool_calls"
    else:
        text, _ = words.until(_text(given, messages), given.stops())
        message["content"], was_cut = words.cut(text, given.get("max_completion_tokens", given.get("max_tokens")))
        finish = "length" if was_cut else "stop"
        if given.get("logprobs"):
            logprobs = logprobs_of(message["content"], given.get("top_logprobs", 0))
    return {"index": number, "message": message, "logprobs": logprobs, "finish_reason": finish}


def usage_of(prompt: int, completion: int) -> dict[str, Any]:
    """Counts of tokens as chat and completions report them."""
    details = {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": details,
    }


def _spoken(choice: Mapping[str, Any]) -> int:
    message = choice["message"]
    calls = sum(words.count(schemas.compact(call)) for call in message.get("tool_calls", ()))
    return words.count(message["content"] or "") + calls


class Chat:
    """Chat completions of one account."""

    def __init__(self) -> None:
        self._kept = Kept("Chat completion with id '{id}' not found.", "completion_id")
        self._messages: dict[str, list[dict[str, Any]]] = {}

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """The completion of one request; raises RefusedError."""
        given = Parameters(body)
        messages = checked(body.get("messages"))
        model = talking(body.get("model"))
        check(given, model, messages)
        check_window(model, tokens_of(messages), "messages")
        choices = [_choice(number, given, messages) for number in range(given.get("n", 1))]
        tools = words.count(schemas.compact(body["tools"])) if body.get("tools") else 0
        tier = given.get("service_tier", "auto")
        completion = {
            "id": new_id("chatcmpl", "-"),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": snapshot(model),
            "choices": choices,
            "usage": usage_of(tokens_of(messages) + tools, sum(map(_spoken, choices))),
            "service_tier": "default" if tier == "auto" else tier,
            "system_fingerprint": FINGERPRINT,
        }
        if given.typed("store", bool):
            self._store(completion, given, messages)
        return completion

    def _store(self, completion: dict[str, Any], given: Parameters, messages: Sequence[Message]) -> None:
        self._kept.keep({**completion, "metadata": given.metadata() or {}})
        self._messages[completion["id"]] = [
            {
                "content": None,
                "refusal": None,
                "name": None,
                "content_parts": None,
                **message,
                "id": f"{completion['id']}-{number}",
            }
            for number, message in enumerate(messages)
        ]

    async def created(self, request: Request) -> Response:
        """A completion, whole or in pieces."""
        body = await object_of(request)
        streams = Parameters(body).typed("stream", bool)
        completion = await asyncio.to_thread(self.create, body)
        if not streams:
            return JSONResponse(completion)
        return sse.unnamed(chunks.of_chat(completion, body.get("stream_options") or {}))

    async def listed(self, request: Request) -> Response:
        """Stored completions, by model and metadata."""
        return JSONResponse(page(self._wanted(request), request, default="asc"))

    def _wanted(self, request: Request) -> Iterator[dict[str, Any]]:
        query = request.query_params
        pairs = {key[9:-1]: value for key, value in query.items() if key.startswith("metadata[")}
        for one in self._kept.all():
            if query.get("model") in (None, one["model"]) and pairs.items() <= one["metadata"].items():
                yield one

    async def shown(self, request: Request) -> Response:
        """A stored completion."""
        return JSONResponse(self._kept.find(request.path_params["id"]))

    async def changed(self, request: Request) -> Response:
        """A stored completion with other metadata."""
        completion = self._kept.find(request.path_params["id"])
        completion["metadata"] = Parameters(await object_of(request)).metadata() or {}
        return JSONResponse(completion)

    async def deleted(self, request: Request) -> Response:
        """A stored completion is removed."""
        name = self._kept.drop(request.path_params["id"])["id"]
        return JSONResponse({"object": "chat.completion.deleted", "id": name, "deleted": True})

    async def messages(self, request: Request) -> Response:
        """The messages that a stored completion completed."""
        name = self._kept.find(request.path_params["id"])["id"]
        return JSONResponse(page(self._messages[name], request, default="asc"))
