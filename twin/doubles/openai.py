"""OpenAI's API as far as the services and the harness use it."""

from __future__ import annotations

import array
import asyncio
import base64
import time
import uuid

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
MAX_INPUTS = 2048


def _wrong_key() -> Response:
    return refuse(401, "Incorrect API key provided.", type="invalid_request_error", code="invalid_api_key")


def _encoded(vector: list[float], encoding: str) -> str | list[float]:
    if encoding == "base64":
        return base64.b64encode(array.array("f", vector).tobytes()).decode()
    return vector


def create_app(config: TwinConfig) -> Starlette:
    """The double; `behaviour.openai` may set delay (s), status and vectors (normal | zero | short)."""
    behaviour = config.behaviour.get("openai", {})

    async def _gate(request: Request) -> Response | None:
        await asyncio.sleep(behaviour.get("delay", 0))
        if not same(bearer(request), config.openai_key):
            return _wrong_key()
        if status := behaviour.get("status"):
            return refuse(status, "The server had an error while processing your request.", type="server_error")
        return None

    async def models(request: Request) -> Response:
        if refused := await _gate(request):
            return refused
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "openai"} for name in MODELS]
        return JSONResponse({"object": "list", "data": data})

    def _vector(text: str, model: str) -> list[float]:
        if model == OTHER_MODEL:
            # As many dimensions, another space: its vectors and those of the first model do not compare.
            vector = embed(text)
            return vector[DIMENSION // 2 :] + vector[: DIMENSION // 2]
        kind = behaviour.get("vectors", "normal")
        if kind == "zero":
            return [0.0] * DIMENSION
        return embed(text)[: 512 if kind == "short" else DIMENSION]

    async def embeddings(request: Request) -> Response:
        if refused := await _gate(request):
            return refused
        body = await body_of(request)
        texts = [body["input"]] if isinstance(body.get("input"), str) else body.get("input")
        if body.get("model") not in MODELS:
            return refuse(404, f"The model {body.get('model')!r} does not exist", type="invalid_request_error")
        if not isinstance(texts, list) or not texts or len(texts) > MAX_INPUTS or not all(texts):
            return refuse(400, "'input' is invalid", type="invalid_request_error")
        vectors = await asyncio.to_thread(lambda: [_vector(str(text), body["model"]) for text in texts])
        encoding = body.get("encoding_format", "float")
        tokens = sum(len(str(text)) // 4 + 1 for text in texts)
        return JSONResponse(
            {
                "object": "list",
                "model": body["model"],
                "data": [
                    {"object": "embedding", "index": index, "embedding": _encoded(vector, encoding)}
                    for index, vector in enumerate(vectors)
                ],
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            }
        )

    async def chat(request: Request) -> Response:
        if refused := await _gate(request):
            return refused
        body = await body_of(request)
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            return refuse(400, "'messages' is missing", type="invalid_request_error")
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

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/embeddings", embeddings, methods=["POST"]),
            Route("/v1/chat/completions", chat, methods=["POST"]),
        ]
    )
