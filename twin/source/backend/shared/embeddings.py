"""Embeddings from OpenAI, checked before they are stored."""

from __future__ import annotations

import array
import base64
import math

import httpx

from backend.shared.config import Config


class EmbeddingError(RuntimeError):
    """OpenAI refused, or returned vectors that must not be stored."""


def _decode(value: str | list[float]) -> list[float]:
    if isinstance(value, list):
        return value
    return array.array("f", base64.b64decode(value)).tolist()


def check_vector(vector: list[float], dimension: int) -> None:
    """Raise EmbeddingError for a vector of another dimension, not finite, or most of whose numbers are zero."""
    if len(vector) != dimension:
        raise EmbeddingError(f"embedding has {len(vector)} dimensions, expected {dimension}")
    norm = math.fsum(value * value for value in vector)
    if not math.isfinite(norm) or norm == 0.0:
        raise EmbeddingError("embedding is zero or not a number")
    if sum(value == 0.0 for value in vector) > dimension / 2:
        raise EmbeddingError("most of the embedding's numbers are zero")


async def embed(client: httpx.AsyncClient, config: Config, texts: list[str]) -> list[list[float]]:
    """One vector for each text, in order; raises EmbeddingError."""
    try:
        reply = await client.post(
            f"{config.openai_url}/embeddings",
            headers={"Authorization": f"Bearer {config.openai_key}"},
            json={"model": config.embedding_model, "input": texts, "encoding_format": "base64"},
        )
    except httpx.HTTPError as error:
        raise EmbeddingError(f"openai unreachable: {type(error).__name__}") from error
    if reply.status_code != 200:
        raise EmbeddingError(f"openai answered {reply.status_code}")
    vectors = [_decode(item["embedding"]) for item in reply.json()["data"]]
    for vector in vectors:
        check_vector(vector, config.vector_dimension)
    return vectors
