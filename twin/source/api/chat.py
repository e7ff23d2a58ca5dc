"""Questions about the caller's documents."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from backend.shared.calls import CallError, Problem
from backend.shared.config import Config
from backend.shared.database import OUTAGES
from backend.shared.router import NoProvider, Provider, Routed, ServiceRouter
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
ANSWER_SECONDS = 15.0
INSTRUCTION = "Answer from the passages of the user's own insurance documents. If they do not contain the answer, say so."


class ChatRequest(BaseModel):
    """Body of POST /api/chat."""

    # An empty one is refused by the route, with 400.
    message: str = Field(json_schema_extra={"minLength": 1, "pattern": r"\S"})
    conversation_id: str | None = None
    user_language: str | None = None
    context: dict[str, Any] | None = None


def _prompt(question: str, passages: list[Passage]) -> str:
    context = "\n\n".join(f"[passage {number}]\n{p.text}" for number, p in enumerate(passages, 1))
    return f"Passages:\n{context}\n\nQuestion: {question}"


async def _openai(client: Vendors, prompt: str) -> str:
    async with client.calls.to("openai.chat", ANSWER_SECONDS):
        reply = await client.openai.chat.completions.create(
            model=CHAT_MODEL,
            messages=[{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": prompt}],
        )
        return str(reply.choices[0].message.content)


async def _anthropic(client: Vendors, prompt: str) -> str:
    async with client.calls.to("anthropic", ANSWER_SECONDS):
        loaded = await asyncio.to_thread(getattr, client, "anthropic")
        reply = await loaded.messages.create(
            model=FALLBACK_MODEL,
            max_tokens=MAX_TOKENS,
            system=INSTRUCTION,
            messages=[{"role": "user", "content": prompt}],
        )
        return "".join(block.text for block in reply.content if block.type == "text")


async def load_fallback(client: Vendors, config: Config) -> None:
    """Load the client of the fallback, which takes seconds on a busy machine, and holds up no other request."""
    if config.anthropic_key:
        await asyncio.to_thread(getattr, client, "anthropic")


def router_of(client: Vendors, config: Config) -> ServiceRouter:
    """OpenAI answers questions; Anthropic where OpenAI cannot, if it is configured."""
    providers = [Provider("openai", partial(_openai, client))]
    if not config.anthropic_key:
        return ServiceRouter(providers, not_configured=["anthropic"])
    return ServiceRouter([*providers, Provider("anthropic", partial(_anthropic, client))])


async def complete(client: Vendors, config: Config, prompt: str) -> Routed:
    """The answer of the first provider that returns one; raises NoProvider when none does."""
    return await router_of(client, config).answer(prompt)


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


def _log(error: Exception) -> None:
    if isinstance(error, CallError) and error.problem is Problem.CIRCUIT_OPEN:
        log.warning("no answer to a question: %s", error)
    else:
        log.exception("no answer to a question")


def _unavailable(error: Exception) -> str | None:
    """The service for want of which there is no answer, where it is that."""
    if isinstance(error, NoProvider):
        return error.attempts[0].provider
    return error.service if isinstance(error, CallError) else "database" if isinstance(error, OUTAGES) else None


def _apology(error: Exception, body: ChatRequest, started: float) -> dict[str, Any]:
    """What is said where there is no answer: nothing is made up, and the caller can tell."""
    attempts = error.attempts if isinstance(error, NoProvider) else []
    return _body(
        APOLOGY,
        body,
        started,
        ["system"],
        error_type=type(error).__name__,
        confidence=0.0,
        provider="none",
        route="none",
        attempts=[asdict(attempt) for attempt in attempts],
        degraded=True,
        unavailable=_unavailable(error),
    )


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
            answer = Routed("Your documents contain nothing about that.")
        else:
            answer = await complete(client, config, _prompt(body.message, passages))
    except Exception as error:
        _log(error)
        return _apology(error, body, started)
    return _body(
        answer.text,
        body,
        started,
        _sources(passages),
        confidence=round(max((p.similarity for p in passages), default=0.0), 4),
        agent_sources=["rag"] if passages else [],
        provider=answer.provider,
        route=answer.route,
        attempts=[asdict(attempt) for attempt in answer.attempts],
        degraded=answer.route == "fallback",
        retrieval_seconds=retrieval_seconds,
        chunks=len(passages),
        input_tokens=sum(len(p.text) for p in passages) // 4,
    )
