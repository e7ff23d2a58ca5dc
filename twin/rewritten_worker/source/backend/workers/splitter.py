"""Cuts Markdown into passages: whole blocks as long as they fit, a heading with what follows it."""

from __future__ import annotations

import re
from collections.abc import Iterator

# In bytes of UTF-8: no tokenizer makes more tokens than bytes, so 256 passages stay below what one request may hold.
MOST_BYTES = 800
BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
HEADING = re.compile(r"#{1,6}\s")
# Where a block that is too long is cut, the best place first.
SEAMS = (re.compile(r"\n"), re.compile(r"(?<=[.!?;:])\s+"), re.compile(r"\s+"))


def split(text: str) -> list[str]:
    """The passages of a text in its order; none where it holds nothing but space."""
    passages: list[str] = []
    kept = ""
    for block in _blocks(text.replace("\x00", "").replace("\r\n", "\n")):
        joined = f"{kept}\n\n{block}" if kept else block
        starts_anew = HEADING.match(block) and not _is_heading_only(kept)
        if kept and (starts_anew or _size(joined) > MOST_BYTES):
            passages.append(kept)
            joined = block
        kept = joined
    return [*passages, kept] if kept else passages


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _is_heading_only(text: str) -> bool:
    return all(HEADING.match(line) for line in text.splitlines() if line.strip())


def _blocks(text: str) -> Iterator[str]:
    for block in BLANK.split(text):
        if block.strip():
            yield from _fitting(block.strip(), 0)


def _fitting(block: str, seam: int) -> Iterator[str]:
    """Pieces of a block that are small enough."""
    if _size(block) <= MOST_BYTES:
        yield block
    elif seam == len(SEAMS):
        # At most four bytes a character.
        yield from (block[at : at + MOST_BYTES // 4] for at in range(0, len(block), MOST_BYTES // 4))
    else:
        yield from _packed(block, seam)


def _packed(block: str, seam: int) -> Iterator[str]:
    kept, start = "", 0
    glue = "\n" if seam == 0 else " "
    ends = [*(found.span() for found in SEAMS[seam].finditer(block)), (len(block), len(block))]
    for end, following in ends:
        piece, start = block[start:end], following
        if not piece.strip():
            continue
        if kept and _size(kept) + _size(piece) + 1 <= MOST_BYTES:
            kept = f"{kept}{glue}{piece}"
            continue
        if kept:
            yield from _fitting(kept, seam + 1)
        kept = piece
    if kept:
        yield from _fitting(kept, seam + 1)
