"""The lines of a specification's own document: the one module that reads its Markdown.

A document of this form has numbered sections (`## 1. …`) with parts (`### …`); a part holds bullets (`- **Name**: promise`),
numbered steps, checklist lines (`- [ ] …`), and fenced blocks of YAML or of variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SECTION = re.compile(r"## (\d+)\. (.+)")
PART = re.compile(r"### (.+)")
FENCE = re.compile(r"```(\w*)")
STEP = re.compile(r"(?:[-*]|\d+\.) \*\*(?P<name>[^*]+)\*\*: ?(?P<text>.*)")
CHECKLIST = re.compile(r"- \[[ x]\] (?P<text>.+)")
DETAIL = re.compile(r"\s+- `(?P<name>[^`]+)` - (?P<text>.+)")
VARIABLE = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)=(?P<text>.*)")
KEY = re.compile(r"(?P<name>[a-z_]+):(?: (?P<text>.+))?")
ENTRY = re.compile(r"\s+- (?P<text>.+)")


@dataclass(frozen=True)
class Line:
    """One line that promises something. `owner` is the bullet or key that it belongs to, where it is an entry of one."""

    section: int
    part: str
    name: str
    text: str
    owner: str = ""

    @property
    def place(self) -> str:
        """Section and part, as [coverage] names them."""
        return f"{self.section} {self.part}"

    @property
    def key(self) -> str:
        """What names the line in the data: `1 Service Details: Plan`."""
        return f"{self.place}: {f'{self.owner} ' if self.owner else ''}{self.name}"


def lines_of(document: Path) -> list[Line]:
    """All lines of the numbered sections, in their order."""
    return list(_lines(document.read_text(encoding="utf-8").splitlines()))


def _lines(text: list[str]) -> Iterator[Line]:
    section, part, owner, fence = 0, "", "", ""
    for raw in text:
        if found := FENCE.match(raw):
            fence = "" if fence else found[1] or "text"
            owner = ""
        elif fence:
            for line in _in_block(section, part, raw, owner):
                owner = line.name if not line.owner else owner
                if line.text:
                    yield line
        elif raw.startswith("## "):
            numbered = SECTION.match(raw)
            section, part = int(numbered[1]) if numbered else 0, ""
        elif found := PART.match(raw):
            part, owner = found[1], ""
        elif section and (bullet := _bullet(section, part, raw, owner)):
            owner = bullet.name if not bullet.owner else owner
            if bullet.text:
                yield bullet


def _in_block(section: int, part: str, raw: str, owner: str) -> Iterator[Line]:
    """The line of a fenced block: a variable, a key with its value, or an entry of the list under a key."""
    if not section or raw.lstrip().startswith("#"):
        return
    if (found := VARIABLE.fullmatch(raw)) or (found := KEY.fullmatch(raw)):
        yield Line(section, part, found["name"], found["text"] or "")
    elif owner and (found := ENTRY.fullmatch(raw)):
        yield Line(section, part, found["text"], found["text"], owner)


def _bullet(section: int, part: str, raw: str, owner: str) -> Line | None:
    if found := CHECKLIST.fullmatch(raw):
        return Line(section, part, found["text"], found["text"])
    if found := STEP.fullmatch(raw.rstrip()):
        return Line(section, part, found["name"], found["text"].strip())
    if owner and (found := DETAIL.fullmatch(raw)):
        return Line(section, part, found["name"], found["text"], owner)
    return None
