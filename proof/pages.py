"""Figures that a command measured, as a section of a page in docs/."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SAFETY = Path(__file__).resolve().parents[1] / "docs" / "safety.md"


def put(page: Path, heading: str, lines: Sequence[str]) -> None:
    """Put a section (`## heading`) in the place of the one with this heading, or at the end."""
    text = page.read_text()
    body = "\n".join([f"## {heading}", "", *lines]) + "\n"
    before, mark, rest = text.partition(f"## {heading}\n")
    if not mark:
        page.write_text(text.rstrip() + "\n\n" + body)
        return
    _, following, after = rest.partition("\n## ")
    page.write_text(before + body + (f"\n## {after}" if following else ""))
