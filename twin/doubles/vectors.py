"""Deterministic dense unit vectors in which similar texts are close to each other."""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
DIMENSION = 1536
MODEL = "text-embedding-3-small"
WORD = re.compile(r"[^\W\d_]+|\$?\d[\d,.:%-]*\d|\$?\d")
# Real embedding models give unrelated texts a small positive similarity; one shared component does the same.
COMMON = 0.4
# What a language model knows about such tokens: a telephone number is one, an amount of money is a cost.
MEANINGS = (
    (re.compile(r"(?:1-)?\d{3}-\d{3}-\d{4}"), ("phone", "number", "telephone", "call")),
    (re.compile(r"\$\d[\d,.]*"), ("cost", "price", "premium", "copayment")),
)
COMMON_WORDS = frozenset(
    WORD.findall(
        """
        a an the of to in on for and or is are was be by with as at from that this it its you your we
        our my i me do does did can may will would should not no if when what which who how much many
        there here have has had any all these those than then
        """
    )
)


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "es", "ed", "s"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=100_000)
def _features(word: str, weight: float) -> tuple[tuple[int, float], ...]:
    stem = _stem(word)
    parts = [(f"w:{stem}", weight)]
    padded = f"^{stem}$"
    grams = [padded[i : i + 4] for i in range(len(padded) - 3)]
    parts += [(f"g:{gram}", 0.35 * weight / math.sqrt(len(grams))) for gram in grams]
    hashed = []
    for name, value in parts:
        digest = zlib.crc32(name.encode())
        hashed.append((1 + digest % (DIMENSION - 1), value if digest & 0x40000000 else -value))
    return tuple(hashed)


def _words(text: str) -> list[str]:
    lowered = text.lower()
    words = WORD.findall(lowered)
    for pattern, meanings in MEANINGS:
        if pattern.search(lowered):
            words += meanings
    return words


@lru_cache(maxsize=4096)
def features(text: str) -> Vector:
    """The unit vector of a text's words and pairs of words, nearly all of it zero; not to be changed."""
    words = _words(text)
    vector = np.zeros(DIMENSION)
    for word, count in Counter(words).items():
        weight = 0.03 if word in COMMON_WORDS else min(1.6, 0.7 + 0.09 * len(word))
        for index, value in _features(word, weight):
            vector[index] += value * (1 + math.log(count))
    content = [word for word in words if word not in COMMON_WORDS]
    for pair, count in Counter(pairwise(content)).items():
        for index, value in _features(" ".join(map(_stem, pair)), 0.8)[:1]:
            vector[index] += value * (1 + math.log(count))
    norm = float(np.linalg.norm(vector)) or 1.0
    vector *= math.sqrt(1 - COMMON * COMMON) / norm
    vector[0] = COMMON
    return vector / np.linalg.norm(vector)


@lru_cache(maxsize=16)
def _places(model: str, dimension: int) -> tuple[npt.NDArray[np.intp], Vector]:
    random = np.random.default_rng(zlib.crc32(model.encode()))
    places: npt.NDArray[np.intp] = random.permutation(dimension)[:DIMENSION]
    return places, random.choice(np.array((-1.0, 1.0)), DIMENSION)


def embed(text: str, model: str = MODEL, dimension: int = DIMENSION) -> list[float]:
    """The dense unit vector of one text in the model's own space; texts that share rare words are close.

    A discrete Hartley transform spreads every feature over all numbers. It is orthogonal, so similarities stay.
    """
    places, signs = _places(model, dimension)
    spread = np.zeros(dimension)
    spread[places] = features(text) * signs
    wave = np.fft.fft(spread)
    return [float(number) for number in (wave.real - wave.imag) / math.sqrt(dimension)]
