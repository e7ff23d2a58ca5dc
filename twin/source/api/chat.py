"""Questions about the caller's documents."""

from __future__ import annotations

import logging
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import openai
from backend.shared.config import Config
from backend.shared.vendors import Vendors
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from api.auth import CurrentUser
from api.retrieval import Passage, retrieve

router = APIRouter()
log = logging.getLogger("api")
APOLOGY = "I apologize, but I could not process your request right now. Please try again later."
CHAT_MODEL = "gpt-4o-mini"
FALLBACK_MODEL = "claude-3-5-haiku-latest"
MAX_TOKENS = 1024
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


async def _openai(client: Vendors, prompt: str) -> str:
    try:
        reply = await client.openai.chat.completions.create(
            model=CHAT_MODEL,
            messages=[{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": prompt}],
        )
    except openai.APIStatusError as error:
        raise CompletionError(f"openai answered {error.status_code}") from error
    except openai.OpenAIError as error:
        raise CompletionError(f"openai unreachable: {type(error).__name__}") from error
    return str(reply.choices[0].message.content)


async def _anthropic(client: Vendors, prompt: str) -> str:
    import anthropic

    try:
        reply = await client.anthropic.messages.create(
            model=FALLBACK_MODEL,
            max_tokens=MAX_TOKENS,
            system=INSTRUCTION,
            messages=[{"role": "user", "content": prompt}],
        )
    except anthropic.APIStatusError as error:
        raise CompletionError(f"anthropic answered {error.status_code}") from error
    except anthropic.AnthropicError as error:
        raise CompletionError(f"anthropic unreachable: {type(error).__name__}") from error
    return "".join(block.text for block in reply.content if block.type == "text")


async def complete(client: Vendors, config: Config, prompt: str) -> tuple[str, str]:
    """The answer and the provider that returned it; raises CompletionError when none did."""
    try:
        return await _openai(client, prompt), "openai"
    except CompletionError as failed:
        if not config.anthropic_key:
            raise CompletionError(f"openai: {failed}; anthropic: not configured") from failed
        try:
            return await _anthropic(client, prompt), "anthropic"
        except CompletionError as error:
            raise CompletionError(f"openai: {failed}; anthropic: {error}") from error


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
    client: Vendors = request.app.state.client
    try:
        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)
        retrieval_seconds = round(time.perf_counter() - started, 6)
        if not passages:
            text, provider = "Your documents contain nothing about that.", "none"
        else:
            text, provider = await complete(client, config, _prompt(body.message, passages))
    except Exception as error:
        log.exception("no answer to a question")
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
