"""Where the proofs write their figures, and a section of a page put in its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gate.places import OUT, ROOT

DOCS = ROOT / "docs"
SAFETY = DOCS / "safety.md"


def results(name: str) -> Path:
    """The file of a proof's own results, its folder made."""
    OUT.mkdir(parents=True, exist_ok=True)
    return OUT / name


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
