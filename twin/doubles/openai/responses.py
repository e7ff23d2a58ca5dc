"""The Responses API: create, stream, keep, continue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles import schemas, speaker, words
from twin.doubles.openai import inputs, sse
from twin.doubles.openai.conversations import Conversations
from twin.doubles.openai.errors import RefusedError, missing
from twin.doubles.openai.events import events_of, unfinished
from twin.doubles.openai.inputs import Item
from twin.doubles.openai.listing import Kept, new_id, page
from twin.doubles.openai.logprobs import logprobs_of
from twin.doubles.openai.models import check_window, snapshot, talking
from twin.doubles.openai.parameters import Parameters, object_of
from twin.doubles.openai.response_options import check

# So long does what runs in the background take, in seconds.
RUNS_FOR = 2
SAME = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "safety_identifier",
)


def _call(given: Parameters, said: Sequence[tuple[str, str]]) -> Item | None:
    tools = [tool for tool in given.get("tools", ()) if tool["type"] == "function"]
    choice = given.get("tool_choice", "auto")
    if not tools or choice == "none" or (choice == "auto" and said and said[-1][0] == "tool"):
        return None
    prompt = next((text for role, text in reversed(said) if role == "user"), "")
    chosen: Mapping[str, Any] | None
    if isinstance(choice, dict) and choice.get("type") == "function":
        chosen = next(tool for tool in tools if tool["name"] == choice["name"])
    else:
        chosen = schemas.asked_for(tools, prompt) or (tools[0] if choice == "required" else None)
    if chosen is None:
        return None
    filled = schemas.compact(schemas.arguments(chosen.get("parameters"), prompt))
    call = {"type": "function_call", "status": "completed", "name": chosen["name"], "arguments": filled}
    return {"id": new_id("fc"), "call_id": new_id("call"), **call}


def _message(given: Parameters, system: str, said: Sequence[tuple[str, str]]) -> tuple[Item, bool]:
    wanted = given.get("text", {}).get("format") or {}
    prompt = next((text for role, text in reversed(said) if role == "user"), "")
    if wanted.get("type") == "json_schema":
        text = schemas.compact(schemas.instance(wanted.get("schema") or {}, prompt))
    else:
        text = speaker.speak(system, said)
        text = schemas.compact({"answer": text}) if wanted.get("type") == "json_object" else text
    text, was_cut = words.cut(text, given.get("max_output_tokens"))
    asked = "message.output_text.logprobs" in given.get("include", ())
    logprobs = logprobs_of(text, given.get("top_logprobs", 0))["content"] if asked else []
    part = {"type": "output_text", "annotations": [], "logprobs": logprobs, "text": text}
    status = "incomplete" if was_cut else "completed"
    return {"id": new_id("msg"), "type": "message", "status": status, "content": [part], "role": "assistant"}, was_cut


def usage_of(prompt: int, output: int) -> dict[str, Any]:
    """Counts of tokens as the Responses API reports them."""
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": prompt + output,
    }


class Responses:
    """Responses of one account."""

    def __init__(self, conversations: Conversations) -> None:
        self._kept = Kept("Response with id '{id}' not found.")
        self._inputs: dict[str, list[Item]] = {}
        self._running: dict[str, dict[str, Any]] = {}
        self._conversations = conversations

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """The response to one request; raises RefusedError."""
        given = Parameters(body)
        if body.get("model") is None:
            raise missing("model")
        model = talking(body["model"], "v1/responses")
        check(given, model)
        fresh = inputs.items_of(body.get("input"))
        items = [*self._before(given), *fresh]
        inputs.check_calls(items)
        check_window(model, inputs.tokens_of(items, body.get("instructions"), body.get("tools")), "input")
        said = inputs.said_in(items)
        system = "\n".join((words.text_of(given.get("instructions", "")), inputs.system_in(items)))
        call, was_cut = _call(given, said), False
        output = call
        if output is None:
            output, was_cut = _message(given, system, said)
        response = self._shown(given, snapshot(model), output, was_cut)
        spoken = words.count(words.text_of(output.get("content") or output.get("arguments")))
        response["usage"] = usage_of(inputs.tokens_of(items, body.get("instructions"), body.get("tools")), spoken)
        if given.get("store", True):
            self._kept.keep(response)
            self._inputs[response["id"]] = items
        if response["conversation"]:
            self._conversations.extend(response["conversation"]["id"], [*fresh, output])
        return response

    def _before(self, given: Parameters) -> list[Item]:
        if conversation := given.get("conversation"):
            if given.get("previous_response_id"):
                message = "Mutually exclusive parameters: use either 'previous_response_id' or 'conversation'."
                raise RefusedError(message, "previous_response_id", "mutually_exclusive_parameters")
            return self._conversations.items_of(conversation if isinstance(conversation, str) else conversation.get("id", ""))
        previous = given.typed("previous_response_id", str)
        if previous is None:
            return []
        if previous not in self._inputs:
            message = f"Previous response with id '{previous}' not found."
            raise RefusedError(message, "previous_response_id", "previous_response_not_found")
        return [*self._inputs[previous], *self._kept.find(previous)["output"]]

    @staticmethod
    def _shown(given: Parameters, model: str, output: Item, was_cut: bool) -> dict[str, Any]:
        now, conversation = int(time.time()), given.get("conversation")
        tools = [{"strict": True, **tool} if tool["type"] == "function" else tool for tool in given.get("tools", ())]
        tier = given.get("service_tier", "auto")
        return {
            "id": new_id("resp"),
            "object": "response",
            "created_at": now,
            "status": "incomplete" if was_cut else "completed",
            "background": given.get("background", False),
            "completed_at": None if was_cut else now,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if was_cut else None,
            **{name: given.get(name) for name in SAME},
            "conversation": {"id": conversation} if isinstance(conversation, str) else conversation,
            "model": model,
            "output": [output],
            "parallel_tool_calls": given.get("parallel_tool_calls", True),
            "reasoning": {"effort": None, "summary": None, **given.get("reasoning", {})},
            "service_tier": "default" if tier == "auto" else tier,
            "store": given.get("store", True),
            "temperature": given.get("temperature", 1.0),
            "text": {"format": {"type": "text"}, "verbosity": "medium", **given.get("text", {})},
            "tool_choice": given.get("tool_choice", "auto"),
            "tools": tools,
            "top_logprobs": given.get("top_logprobs", 0),
            "top_p": given.get("top_p", 1.0),
            "truncation": given.get("truncation", "disabled"),
            "metadata": given.metadata() or {},
            **({"user": given.get("user")} if given.get("user") else {}),
        }

    async def created(self, request: Request) -> Response:
        """A response, whole or as events."""
        body = await object_of(request)
        streams = Parameters(body).typed("stream", bool)
        response = await asyncio.to_thread(self.create, body)
        if response["background"] and not streams:
            self._running[response["id"]] = response
            return JSONResponse(self._kept.keep({**response, **unfinished("queued")}))
        return sse.named(events_of(response)) if streams else JSONResponse(response)

    def _find(self, request: Request) -> dict[str, Any]:
        name = request.path_params["id"]
        response = self._kept.find(name)
        if name in self._running and time.time() > response["created_at"] + RUNS_FOR:
            response = self._kept.keep(self._running.pop(name))
        return response

    async def shown(self, request: Request) -> Response:
        """A kept response."""
        response = self._find(request)
        return sse.named(events_of(response)) if request.query_params.get("stream") == "true" else JSONResponse(response)

    async def deleted(self, request: Request) -> Response:
        """A kept response is removed."""
        name = self._kept.drop(request.path_params["id"])["id"]
        self._inputs.pop(name, None)
        return JSONResponse({"id": name, "object": "response", "deleted": True})

    async def cancelled(self, request: Request) -> Response:
        """Only what runs in the background can be cancelled."""
        response = self._find(request)
        if not response["background"]:
            raise RefusedError("Cannot cancel a synchronous response.")
        if self._running.pop(response["id"], None):
            response = self._kept.keep({**response, "status": "cancelled"})
        return JSONResponse(response)

    async def inputs(self, request: Request) -> Response:
        """The items that a kept response responded to."""
        name = self._kept.find(request.path_params["id"])["id"]
        return JSONResponse(page(self._inputs[name], request))

    async def counted(self, request: Request) -> Response:
        """Tokens of an input that is not sent."""
        body = await object_of(request)
        given = Parameters(body)
        talking(body.get("model"), "v1/responses/input_tokens")
        items = [*self._before(given), *inputs.items_of(body.get("input"))]
        tokens = inputs.tokens_of(items, body.get("instructions"), body.get("tools"))
        return JSONResponse({"object": "response.input_tokens", "input_tokens": tokens})
