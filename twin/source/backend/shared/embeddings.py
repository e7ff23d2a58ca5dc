"""Embeddings from OpenAI, checked before they are stored."""

from __future__ import annotations

import math

from backend.shared.config import Config
from backend.shared.vendors import Vendors


class EmbeddingError(RuntimeError):
    """OpenAI returned vectors that must not be stored."""


def check_vector(vector: list[float], dimension: int) -> None:
    """Raise EmbeddingError for a vector of another dimension, not finite, or most of whose numbers are zero."""
    if len(vector) != dimension:
        raise EmbeddingError(f"embedding has {len(vector)} dimensions, expected {dimension}")
    norm = math.fsum(value * value for value in vector)
    if not math.isfinite(norm) or norm == 0.0:
        raise EmbeddingError("embedding is zero or not a number")
    if sum(value == 0.0 for value in vector) > dimension / 2:
        raise EmbeddingError("most of the embedding's numbers are zero")


async def embed(client: Vendors, config: Config, texts: list[str], seconds: float = 0.0) -> list[list[float]]:
    """One vector for each text, in order; raises CallError, and EmbeddingError for vectors that must not be stored."""
    async with client.calls.to("openai.embeddings", seconds):
        reply = await client.openai.embeddings.create(model=config.embedding_model, input=texts)
        vectors = [item.embedding for item in reply.data]
    for vector in vectors:
        check_vector(vector, config.vector_dimension)
    return vectors
