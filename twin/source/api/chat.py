"""Questions about the caller's documents."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
from backend.shared.config import Config
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from api.auth import CurrentUser
from api.retrieval import Passage, retrieve

router = APIRouter()
APOLOGY = "I apologize, but I could not process your request right now. Please try again later."
CHAT_MODEL = "gpt-4o-mini"
FALLBACK_MODEL = "claude-3-5-haiku-latest"
INSTRUCTION = "Answer from the passages of the user's own insurance documents. If they do not contain the answer, say so."


class ChatRequest(BaseModel):
    """Body of POST /api/chat."""

    # An empty one is refused by the route, with 400.
    message: str = Field(json_schema_extra={"minLength": 1, "pattern": r"\S"})
    conversation_id: str | None = None
    user_language: str | None = None
    context: dict[str, Any] | None = None


class CompletionError(RuntimeError):
    """No provider returned an answer."""


def _prompt(question: str, passages: list[Passage]) -> str:
    context = "\n\n".join(f"[passage {number}]\n{p.text}" for number, p in enumerate(passages, 1))
    return f"Passages:\n{context}\n\nQuestion: {question}"


async def _openai(client: httpx.AsyncClient, config: Config, prompt: str) -> str:
    reply = await client.post(
        f"{config.openai_url}/chat/completions",
        headers={"Authorization": f"Bearer {config.openai_key}"},
        json={
            "model": CHAT_MODEL,
            "messages": [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": prompt}],
        },
    )
    if reply.status_code != 200:
        raise CompletionError(f"openai answered {reply.status_code}")
    return str(reply.json()["choices"][0]["message"]["content"])


async def _anthropic(client: httpx.AsyncClient, config: Config, prompt: str) -> str:
    if not config.anthropic_key:
        raise CompletionError("anthropic is not configured")
    reply = await client.post(
        f"{config.anthropic_url}/v1/messages",
        headers={"x-api-key": config.anthropic_key, "anthropic-version": "2023-06-01"},
        json={
            "model": FALLBACK_MODEL,
            "max_tokens": 1024,
            "system": INSTRUCTION,
            "messages": [{"role": "user", "content": prompt}],
        },
    )
    if reply.status_code != 200:
        raise CompletionError(f"anthropic answered {reply.status_code}")
    return str(reply.json()["content"][0]["text"])


async def complete(client: httpx.AsyncClient, config: Config, prompt: str) -> tuple[str, str]:
    """The answer and the provider that returned it; raises CompletionError when none did."""
    reasons = []
    for name, ask in (("openai", _openai), ("anthropic", _anthropic)):
        try:
            return await ask(client, config, prompt), name
        except (CompletionError, httpx.HTTPError) as error:
            reasons.append(f"{name}: {error}")
    raise CompletionError("; ".join(reasons))


def _body(text: str, body: ChatRequest, started: float, sources: list[Any], **metadata: Any) -> dict[str, Any]:
    return {
        "text": text,
        "response": text,
        "conversation_id": body.conversation_id or str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat(),
        "metadata": {"processing_time": round(time.perf_counter() - started, 6), **metadata},
        "sources": sources,
        "success": "error_type" not in metadata,
    }


def _sources(passages: list[Passage]) -> list[dict[str, Any]]:
    return [
        {
            "document_id": str(p.document_id),
            "chunk_id": str(p.chunk_id),
            "filename": p.filename,
            "similarity": round(p.similarity, 4),
            "text": p.text,
        }
        for p in passages
    ]


@router.post("/chat")
@router.post("/api/chat")
async def chat(body: ChatRequest, user: CurrentUser, request: Request) -> dict[str, Any]:
    """Answer one question from the caller's documents."""
    if not body.message.strip():
        raise HTTPException(400, "empty message")
    started = time.perf_counter()
    config: Config = request.app.state.config
    client: httpx.AsyncClient = request.app.state.client
    try:
        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)
        retrieval_seconds = round(time.perf_counter() - started, 6)
        if not passages:
            text, provider = "Your documents contain nothing about that.", "none"
        else:
            text, provider = await complete(client, config, _prompt(body.message, passages))
    except Exception as error:
        return _body(APOLOGY, body, started, ["system"], error_type=type(error).__name__, confidence=0.0)
    return _body(
        text,
        body,
        started,
        _sources(passages),
        confidence=round(max((p.similarity for p in passages), default=0.0), 4),
        agent_sources=["rag"] if passages else [],
        provider=provider,
        retrieval_seconds=retrieval_seconds,
        chunks=len(passages),
        input_tokens=sum(len(p.text) for p in passages) // 4,
    )
