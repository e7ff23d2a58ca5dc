"""markdown-simple@1: paragraphs joined into passages that overlap slightly."""

from __future__ import annotations

import re

CHUNKER_NAME = "markdown-simple"
CHUNKER_VERSION = "1"
TARGET_CHARACTERS = 600
OVERLAP_CHARACTERS = 120


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for line in re.split(r"\n+", text):
        words = line.split()
        current = ""
        for word in words:
            if current and len(current) + 1 + len(word) > TARGET_CHARACTERS:
                pieces.append(current)
                current = ""
            current = f"{current} {word}".strip()
        if current:
            pieces.append(current)
    return pieces


def split(text: str) -> list[str]:
    """Chunks in reading order; every word of the text is in at least one of them."""
    chunks: list[str] = []
    current: list[str] = []
    size = 0
    for piece in _pieces(text):
        if current and size + len(piece) > TARGET_CHARACTERS:
            chunks.append("\n".join(current))
            tail = current[-1] if len(current[-1]) <= OVERLAP_CHARACTERS else ""
            current, size = ([tail], len(tail)) if tail else ([], 0)
        current.append(piece)
        size += len(piece) + 1
    if current:
        chunks.append("\n".join(current))
    return chunks
