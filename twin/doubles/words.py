"""Tokens of a text, about as many as the vendors count: short pieces of words with the space before them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

TOKEN = re.compile(r" ?[^\W\d_]{1,8}|\d{1,3}| ?[^\w\s]|\s|\w")


def tokens(text: str) -> list[str]:
    """The text's tokens; joined, they are the text."""
    return TOKEN.findall(text)


def count(*texts: str) -> int:
    """The number of tokens of all texts."""
    return sum(len(TOKEN.findall(text)) for text in texts)


def cut(text: str, most: int | None) -> tuple[str, bool]:
    """The text's first tokens, and whether some were cut off."""
    if most is None:
        return text, False
    pieces = tokens(text)
    return "".join(pieces[:most]), len(pieces) > most


def until(text: str, stops: Iterable[str]) -> tuple[str, str | None]:
    """The text before the first stop sequence in it, and that sequence."""
    found = [(text.find(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return text, None
    place, stop = min(found)
    return text[:place], stop


def text_of(content: Any) -> str:
    """All texts in a message's content, be it a string or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "\n".join(filter(None, (text_of(part) for part in content)))
    if isinstance(content, dict):
        return text_of(content.get("text") or content.get("content") or content.get("output") or "")
    return ""
