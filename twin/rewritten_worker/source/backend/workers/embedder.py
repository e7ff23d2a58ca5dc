"""OpenAI's embeddings, none of which is let through that would make a passage impossible to find."""

from __future__ import annotations

import base64
import math
import sys
from array import array
from typing import Any

import httpx
from backend.workers.line import Line
from backend.workers.settings import Settings
from backend.workers.troubles import Hopeless

BATCH = 256
SECONDS = 60.0


class Embedder:
    """Turns passages into vectors, as PostgreSQL reads them."""

    def __init__(self, line: Line, settings: Settings) -> None:
        self._line = line
        self._url = f"{settings.openai_url}/embeddings"
        self._key = {"Authorization": f"Bearer {settings.openai_key or 'not-configured'}"}
        self._model = settings.model
        self._dimension = settings.dimension

    async def embed(self, texts: list[str]) -> list[str]:
        """One vector for each text, in order; raises Trouble, and Hopeless for a vector that must not be stored."""
        question = {"model": self._model, "input": texts, "encoding_format": "base64"}

        def read(reply: httpx.Response) -> list[str]:
            found = sorted(reply.json()["data"], key=lambda one: one["index"])
            if [one["index"] for one in found] != list(range(len(texts))):
                raise ValueError("not one vector for each text")
            return [self._checked(_numbers(one["embedding"])) for one in found]

        return await self._line.ask("openai", SECONDS, read, "POST", self._url, headers=self._key, json=question)

    def _checked(self, vector: list[float]) -> str:
        if len(vector) != self._dimension:
            raise Hopeless(f"the embedding has {len(vector)} dimensions instead of {self._dimension}")
        if not all(map(math.isfinite, vector)):
            raise Hopeless("the embedding is not made of numbers")
        if not any(vector):
            raise Hopeless("the embedding is a zero vector")
        if vector.count(0.0) > self._dimension // 2:
            raise Hopeless("most of the embedding's numbers are zero")
        return "[" + ",".join(format(number, ".8g") for number in vector) + "]"


def _numbers(given: Any) -> list[float]:
    if isinstance(given, list):
        return [float(number) for number in given]
    numbers = array("f", base64.b64decode(given, validate=True))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
