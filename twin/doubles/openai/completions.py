"""Completions of the older kind: a text is continued."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles import speaker, words
from twin.doubles.openai import chunks, sse
from twin.doubles.openai.chat import usage_of
from twin.doubles.openai.errors import RefusedError
from twin.doubles.openai.listing import new_id
from twin.doubles.openai.logprobs import CERTAIN
from twin.doubles.openai.models import COMPLETION, known
from twin.doubles.openai.parameters import Parameters, mistyped, object_of

DEFAULT_TOKENS = 16
WORDS = """
    model prompt best_of echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty seed stop stream
    stream_options suffix temperature top_p user
"""
KNOWN = frozenset(WORDS.split())


def _prompts(given: Any) -> list[str]:
    if given is None:
        return [""]
    if isinstance(given, str):
        return [given]
    if isinstance(given, list) and given:
        if all(isinstance(one, int) for one in given):
            return [" ".join(map(str, given))]
        return [one if isinstance(one, str) else " ".join(map(str, one)) for one in given]
    raise mistyped("prompt", "a string or an array", given)


def _logprobs(text: str, most: int | None, start: int) -> dict[str, Any] | None:
    if most is None:
        return None
    pieces = words.tokens(text)
    offsets = [start + sum(map(len, pieces[:number])) for number in range(len(pieces))]
    tops = [{piece: CERTAIN} for piece in pieces]
    return {"tokens": pieces, "token_logprobs": [CERTAIN] * len(pieces), "top_logprobs": tops, "text_offset": offsets}


def create(body: dict[str, Any]) -> dict[str, Any]:
    """The completion of one request; raises RefusedError."""
    given = Parameters(body)
    given.only(KNOWN)
    model = known(body.get("model"))
    if model not in COMPLETION:
        message = "This model is not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?"
        raise RefusedError(message, "model", status=404)
    given.number("temperature", 0, 2)
    given.number("top_p", 0, 1)
    given.integer("n", 1, 128)
    given.integer("max_tokens", 0)
    given.integer("logprobs", 0, 5)
    prompts = _prompts(body.get("prompt"))
    choices: list[dict[str, Any]] = []
    for prompt in prompts:
        for _ in range(given.get("n", 1)):
            text, _stop = words.until(speaker.speak("", [("user", prompt)]), given.stops())
            text, was_cut = words.cut(text, given.get("max_tokens", DEFAULT_TOKENS))
            shown = prompt + text if given.get("echo") else text
            logprobs = _logprobs(shown, given.get("logprobs"), 0 if given.get("echo") else len(prompt))
            finish = "length" if was_cut else "stop"
            choices.append({"text": shown, "index": len(choices), "logprobs": logprobs, "finish_reason": finish})
    usage = usage_of(words.count(*prompts), words.count(*(choice["text"] for choice in choices)))
    counts = {key: usage[key] for key in ("prompt_tokens", "completion_tokens", "total_tokens")}
    head = {"id": new_id("cmpl", "-"), "object": "text_completion", "created": int(time.time()), "model": model}
    return {**head, "choices": choices, "usage": counts}


async def created(request: Request) -> Response:
    """A completion, whole or in pieces."""
    body = await object_of(request)
    streams = Parameters(body).typed("stream", bool)
    completion = await asyncio.to_thread(create, body)
    if not streams:
        return JSONResponse(completion)
    return sse.unnamed(chunks.of_completion(completion, body.get("stream_options") or {}))
