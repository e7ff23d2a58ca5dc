"""OpenAI's API as far as the services and the harness use it."""

from __future__ import annotations

import array
import asyncio
import base64
import time
import uuid
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.config import TwinConfig
from twin.doubles.answers import answer
from twin.doubles.vectors import DIMENSION, embed
from twin.doubles.web import bearer, body_of, refuse, same

OTHER_MODEL = "text-embedding-ada-002"
MODELS = ("text-embedding-3-small", OTHER_MODEL, "gpt-4o-mini")
SHORT_DIMENSION = 512
MAX_INPUTS = 2048


def _invalid(message: str, status: int = 400) -> Response:
    return refuse(status, message, type="invalid_request_error")


def _encoded(vector: list[float], encoding: str) -> str | list[float]:
    if encoding == "base64":
        return base64.b64encode(array.array("f", vector).tobytes()).decode()
    return vector


class OpenAI:
    """Handlers of one account."""

    def __init__(self, config: TwinConfig) -> None:
        self._key = config.openai_key
        self._behaviour: dict[str, Any] = config.behaviour.get("openai", {})

    async def _refusal(self, request: Request) -> Response | None:
        await asyncio.sleep(self._behaviour.get("delay", 0))
        if not same(bearer(request), self._key):
            return refuse(401, "Incorrect API key provided.", type="invalid_request_error", code="invalid_api_key")
        if status := self._behaviour.get("status"):
            return refuse(status, "The server had an error while processing your request.", type="server_error")
        return None

    def _vector(self, text: str, model: str) -> list[float]:
        if model == OTHER_MODEL:
            # The same number of dimensions in another space: the vectors of the two models cannot be compared.
            vector = embed(text)
            return vector[DIMENSION // 2 :] + vector[: DIMENSION // 2]
        kind = self._behaviour.get("vectors", "normal")
        if kind == "zero":
            return [0.0] * DIMENSION
        return embed(text)[: SHORT_DIMENSION if kind == "short" else DIMENSION]

    async def models(self, request: Request) -> Response:
        """All models."""
        if refused := await self._refusal(request):
            return refused
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "openai"} for name in MODELS]
        return JSONResponse({"object": "list", "data": data})

    async def embeddings(self, request: Request) -> Response:
        """One vector for each input, in order."""
        if refused := await self._refusal(request):
            return refused
        body = await body_of(request)
        model, texts = body.get("model"), body.get("input")
        texts = [texts] if isinstance(texts, str) else texts
        if model not in MODELS:
            return _invalid(f"The model {model!r} does not exist", status=404)
        if not isinstance(texts, list) or not texts or len(texts) > MAX_INPUTS or not all(texts):
            return _invalid("'input' is invalid")
        vectors = await asyncio.to_thread(lambda: [self._vector(str(text), model) for text in texts])
        encoding = body.get("encoding_format", "float")
        tokens = sum(len(str(text)) // 4 + 1 for text in texts)
        data = [
            {"object": "embedding", "index": index, "embedding": _encoded(vector, encoding)}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return JSONResponse({"object": "list", "model": model, "data": data, "usage": usage})

    async def chat(self, request: Request) -> Response:
        """A completion of the last message."""
        if refused := await self._refusal(request):
            return refused
        body = await body_of(request)
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            return _invalid("'messages' is missing")
        text = await asyncio.to_thread(answer, str(messages[-1].get("content", "")))
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        return JSONResponse(
            {
                "id": f"chatcmpl-{uuid.uuid4().hex}",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": body.get("model", ""),
                "choices": [choice],
                "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
            }
        )


def create_app(config: TwinConfig) -> Starlette:
    """The double; `behaviour.openai` may set delay (s), status and vectors (normal | zero | short)."""
    openai = OpenAI(config)
    return Starlette(
        routes=[
            Route("/v1/models", openai.models),
            Route("/v1/embeddings", openai.embeddings, methods=["POST"]),
            Route("/v1/chat/completions", openai.chat, methods=["POST"]),
        ]
    )
