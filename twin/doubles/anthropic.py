"""Anthropic's API as far as the services and the harness use it."""

from __future__ import annotations

import asyncio
import uuid

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.config import TwinConfig
from twin.doubles.answers import answer
from twin.doubles.web import body_of, same

MODEL = "claude-3-5-haiku-latest"


def _refuse(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"type": "error", "error": {"type": kind, "message": message}}, status_code=status)


def create_app(config: TwinConfig) -> Starlette:
    """The double; `behaviour.anthropic` may set delay (s)."""
    behaviour = config.behaviour.get("anthropic", {})

    async def _gate(request: Request) -> Response | None:
        await asyncio.sleep(behaviour.get("delay", 0))
        if not same(request.headers.get("x-api-key", ""), config.anthropic_key):
            return _refuse(401, "authentication_error", "invalid x-api-key")
        if "anthropic-version" not in request.headers:
            return _refuse(400, "invalid_request_error", "anthropic-version: header is required")
        return None

    async def models(request: Request) -> Response:
        if refused := await _gate(request):
            return refused
        return JSONResponse({"data": [{"type": "model", "id": MODEL}], "has_more": False})

    async def messages(request: Request) -> Response:
        if refused := await _gate(request):
            return refused
        body = await body_of(request)
        if not body.get("messages") or not body.get("max_tokens"):
            return _refuse(400, "invalid_request_error", "messages and max_tokens are required")
        text = await asyncio.to_thread(answer, str(body["messages"][-1].get("content", "")))
        return JSONResponse(
            {
                "id": f"msg_{uuid.uuid4().hex}",
                "type": "message",
                "role": "assistant",
                "model": body.get("model", MODEL),
                "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 0, "output_tokens": 0},
            }
        )

    return Starlette(routes=[Route("/v1/models", models), Route("/v1/messages", messages, methods=["POST"])])
