"""Prompt caching: what a prompt has in common with an earlier one, up to the last mark, is read and not paid again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from twin.doubles import words
from twin.doubles.schemas import compact

LEAST_TOKENS = 1024
LIFETIMES = {"5m": 300.0, "1h": 3600.0}
Body = Mapping[str, Any]
# When each prefix expires.
_known: dict[str, float] = {}


def _blocks(body: Body) -> Iterator[Body]:
    yield from body.get("tools") or ()
    system = body.get("system") or []
    yield from [{"type": "text", "text": system}] if isinstance(system, str) else system
    for message in body["messages"]:
        content = message["content"]
        yield from [{"type": "text", "text": content}] if isinstance(content, str) else content


def usage_of(body: Body, total: int) -> dict[str, Any]:
    """The prompt's tokens: new ones, those written to the cache, and those read from it."""
    blocks = list(_blocks(body))
    marked = [number for number, block in enumerate(blocks) if block.get("cache_control")]
    mark = body.get("cache_control") or (blocks[marked[-1]]["cache_control"] if marked else None)
    last = len(blocks) if body.get("cache_control") else (marked[-1] + 1 if marked else 0)
    plain = [{key: value for key, value in block.items() if key != "cache_control"} for block in blocks[:last]]
    size = min(total, words.count(*(words.text_of(block) or compact(block) for block in plain)))
    written = read = 0
    kept = "1h" if mark and mark.get("ttl") == "1h" else "5m"
    if mark and size >= LEAST_TOKENS:
        name = hashlib.sha256(f"{body['model']}{compact(plain)}".encode()).hexdigest()
        written, read = (0, size) if _known.get(name, 0.0) > time.monotonic() else (size, 0)
        _known[name] = time.monotonic() + LIFETIMES[kept]
    by_lifetime = {f"ephemeral_{name}_input_tokens": written if name == kept else 0 for name in LIFETIMES}
    return {
        "input_tokens": total - written - read,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": by_lifetime,
    }
