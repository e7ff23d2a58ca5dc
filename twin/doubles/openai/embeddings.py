"""Embeddings."""

from __future__ import annotations

import asyncio
import base64
import math
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles import vectors, words
from twin.doubles.openai.account import Account
from twin.doubles.openai.errors import RefusedError, missing, no_model
from twin.doubles.openai.models import EMBEDDING, known
from twin.doubles.openai.parameters import Parameters, mistyped, object_of, sized

MAX_INPUTS = 2048
MAX_TOKENS = 8192
MAX_TOKENS_OF_ALL = 300_000
SHORT_DIMENSION = 512
KNOWN = ("input", "model", "dimensions", "encoding_format", "user")
Input = str | list[int]


def _inputs(given: Any) -> list[Input]:
    if given is None:
        raise missing("input")
    if isinstance(given, str):
        return [_checked(given, "input")]
    if not isinstance(given, list):
        raise mistyped("input", "a string or an array", given)
    if given and all(isinstance(one, int) and not isinstance(one, bool) for one in given):
        return [_checked(given, "input")]
    sized("input", given, 1, MAX_INPUTS)
    return [_checked(one, f"input[{number}]") for number, one in enumerate(given)]


def _checked(given: Any, name: str) -> Input:
    if isinstance(given, str):
        if not given:
            raise RefusedError(f"Invalid '{name}': input cannot be an empty string.", "input", "empty_string")
        return given
    if isinstance(given, list) and all(isinstance(one, int) and not isinstance(one, bool) for one in given):
        sized(name, given, 1, None)
        return given
    raise mistyped(name, "a string or an array of integers", given, "input")


def _counted(inputs: list[Input]) -> int:
    counts = [len(one) if isinstance(one, list) else words.count(one) for one in inputs]
    for tokens in counts:
        if tokens > MAX_TOKENS:
            message = f"This model's maximum context length is {MAX_TOKENS} tokens, however you requested {tokens} tokens."
            raise RefusedError(f"{message} Please reduce the input.", "input", "context_length_exceeded")
    total = sum(counts)
    if total > MAX_TOKENS_OF_ALL:
        kind = "max_tokens_per_request"
        raise RefusedError(f"Requested {total} tokens, max {MAX_TOKENS_OF_ALL} tokens per request", None, kind, kind=kind)
    return total


class Embeddings:
    """Embeddings of one account."""

    def __init__(self, account: Account) -> None:
        self._kind = account.behaviour.get("vectors", "normal")
        self._lacks = account.lacks

    async def created(self, request: Request) -> Response:
        """One vector for each input, in order."""
        body = await object_of(request)
        return JSONResponse(await asyncio.to_thread(self.create, body))

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """The response to one request; raises RefusedError."""
        given = Parameters(body)
        given.only(KNOWN)
        model = known(body.get("model"))
        if model in self._lacks:
            raise no_model(model)
        if model not in EMBEDDING:
            raise RefusedError("You are not allowed to generate embeddings from this model", status=403)
        inputs = _inputs(body.get("input"))
        encoding = given.one_of("encoding_format", ("float", "base64")) or "float"
        size = self._size(given, model)
        tokens = _counted(inputs)
        data = [
            {"object": "embedding", "index": number, "embedding": _encoded(self._vector(one, model, size), encoding)}
            for number, one in enumerate(inputs)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": model, "usage": usage}

    @staticmethod
    def _size(given: Parameters, model: str) -> int:
        full, may_be_shorter = EMBEDDING[model]
        wanted = given.integer("dimensions", 1)
        if wanted is None:
            return full
        if not may_be_shorter:
            raise RefusedError("This model does not support specifying dimensions.", "dimensions")
        if wanted > full:
            message = f"Invalid value for 'dimensions' = {wanted}. Must be less than or equal to {full}."
            raise RefusedError(message, "dimensions", "invalid_value")
        return wanted

    def _vector(self, given: Input, model: str, size: int) -> list[float]:
        if self._kind == "zero" and model == vectors.MODEL:
            return [0.0] * size
        if self._kind == "short" and model == vectors.MODEL:
            size = min(size, SHORT_DIMENSION)
        text = given if isinstance(given, str) else " ".join(map(str, given))
        vector = vectors.embed(text, model, EMBEDDING[model][0])[:size]
        norm = math.sqrt(math.fsum(value * value for value in vector))
        return [value / norm for value in vector]


def _encoded(vector: list[float], encoding: str) -> str | list[float]:
    numbers = np.array(vector, dtype="<f4")
    return base64.b64encode(numbers.tobytes()).decode() if encoding == "base64" else vector
