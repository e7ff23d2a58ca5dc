"""Questions about the caller's own documents."""

from __future__ import annotations

import math
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import asyncpg
from aiohttp import web

from api.context import POOL, UPSTREAM, User, moment, shown, signed_in
from api.edge import SETTINGS
from api.errors import ApiError, invalid, json_object, text_field

routes = web.RouteTableDef()
MODEL = "gpt-4o-mini"
LONGEST_MESSAGE = 20_000
CHARACTERS_PER_TOKEN = 4
# The user's chunks are taken first: an approximate index over everybody's chunks would pass over some of them.
NEAREST = (
    "WITH own AS MATERIALIZED (SELECT c.text, c.chunk_ord, c.embedding, d.document_id, d.filename"
    " FROM upload_pipeline.document_chunks c JOIN upload_pipeline.documents d USING (document_id)"
    " WHERE d.user_id = $1 AND c.embedding IS NOT NULL)"
    " SELECT text, chunk_ord, document_id, filename, 1 - (embedding <=> $2::text::vector) AS similarity FROM own"
    " WHERE 1 - (embedding <=> $2::text::vector) > $3 ORDER BY similarity DESC LIMIT $4"
)
INSTRUCTIONS = (
    "You help people to understand their insurance documents. Use the passages only, and say so when they do not contain"
    " the answer. Write in this language: {language}."
)


async def _embedding(request: web.Request, text: str) -> list[float]:
    settings = request.app[SETTINGS]
    reply = await request.app[UPSTREAM].openai("/embeddings", {"model": settings.embedding_model, "input": [text]})
    try:
        vector = [float(number) for number in reply["data"][0]["embedding"]]
    except (KeyError, IndexError, TypeError, ValueError):
        raise ApiError(502, "openai_failed", "openai returned no embedding") from None
    if len(vector) != settings.dimension or not any(vector) or not all(map(math.isfinite, vector)):
        raise ApiError(502, "openai_failed", "openai returned an embedding that cannot be used")
    return vector


async def _passages(request: web.Request, user: User, vector: list[float]) -> list[asyncpg.Record]:
    settings = request.app[SETTINGS]
    literal = "[" + ",".join(map(repr, vector)) + "]"
    rows = await request.app[POOL].fetch(NEAREST, user.id, literal, settings.threshold, settings.max_chunks)
    kept, left = [], settings.token_budget
    for row in rows:
        left -= math.ceil(len(row["text"]) / CHARACTERS_PER_TOKEN)
        if left < 0:
            break
        kept.append(row)
    return kept


async def _answer(request: web.Request, question: str, language: str, rows: list[asyncpg.Record]) -> str:
    passages = "".join(f"[passage {number}]\n{row['text']}\n\n" for number, row in enumerate(rows, 1))
    messages = [
        {"role": "system", "content": INSTRUCTIONS.format(language=language)},
        {"role": "user", "content": f"{passages}Question: {question}"},
    ]
    reply = await request.app[UPSTREAM].openai("/chat/completions", {"model": MODEL, "messages": messages})
    try:
        text = reply["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        text = None
    if not isinstance(text, str) or not text.strip():
        raise ApiError(502, "openai_failed", "openai returned no text")
    return text


def _source(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "text": row["text"],
        "similarity": row["similarity"],
        "document_id": shown(row["document_id"]),
        "filename": row["filename"],
        "chunk_ord": row["chunk_ord"],
    }


@routes.post("/api/chat")
@routes.post("/chat")
async def chat(request: web.Request) -> web.Response:
    """Answer from the caller's documents; a failure of a part is an error, never an apology."""
    started = time.perf_counter()
    user = await signed_in(request)
    body = await json_object(request, 400)
    message = text_field(body, "message", 400, LONGEST_MESSAGE)
    for name in ("conversation_id", "user_language"):
        if not isinstance(body.get(name), str | None):
            raise invalid(f"{name} is not a text")
    rows = await _passages(request, user, await _embedding(request, message))
    text = await _answer(request, message, body.get("user_language") or "en", rows)
    metadata = {
        "agent_sources": ["retrieval", "openai"],
        "confidence": round(max((row["similarity"] for row in rows), default=0.0), 4),
        "chunks": len(rows),
        "processing_time": round(time.perf_counter() - started, 4),
    }
    answer = {
        "success": True,
        "sources": [_source(row) for row in rows],
        "metadata": metadata,
        "timestamp": moment(datetime.now(UTC)),
        "conversation_id": body.get("conversation_id") or str(uuid.uuid4()),
        "response": text,
        "text": text,
    }
    return web.json_response(answer)
