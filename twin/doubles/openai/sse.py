"""Server-sent events as OpenAI sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

from starlette.responses import StreamingResponse

from twin.doubles.schemas import compact


def unnamed(events: Iterable[dict[str, Any]]) -> StreamingResponse:
    """Events without names, closed by [DONE]."""

    async def lines() -> AsyncIterator[str]:
        for event in events:
            yield f"data: {compact(event)}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


def named(events: Iterable[dict[str, Any]]) -> StreamingResponse:
    """Events named by their type."""

    async def lines() -> AsyncIterator[str]:
        for event in events:
            yield f"event: {event['type']}\ndata: {compact(event)}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")
