"""The story of one rollback: rows in the order of their time, as lines, as data and as a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from jinja2 import Environment, PackageLoader

Tone = Literal["", "good", "bad"]
NAME = "rollback.html.j2"
DATA, PAGE = "timeline.json", "index.html"


@dataclass(frozen=True)
class Row:
    """One thing that happened: seconds since the beginning, who saw or did it, and what."""

    seconds: float
    who: str
    what: str
    facts: str = ""
    tone: Tone = ""

    def __str__(self) -> str:
        return f"{self.seconds:7.1f} s  {self.who:<8} {self.what}" + (f"  {self.facts}" if self.facts else "")


@dataclass(frozen=True)
class Story:
    """A rollback from its beginning to its end."""

    headline: str
    passed: bool
    summary: Sequence[str]
    rows: Sequence[Row]

    def in_order(self) -> list[Row]:
        """Its rows by time."""
        return sorted(self.rows, key=lambda row: row.seconds)

    def write(self, folder: Path) -> Path:
        """Write data and page into a folder; returns the page."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = self.in_order()
        data = {"headline": self.headline, "passed": self.passed, "summary": list(self.summary)}
        data |= {"rows": [asdict(row) for row in rows]}
        (folder / DATA).write_text(json.dumps(data, indent=1))
        template = Environment(loader=PackageLoader("reports"), autoescape=True).get_template(NAME)
        page = folder / PAGE
        page.write_text(template.render(headline=self.headline, passed=self.passed, summary=self.summary, rows=rows))
        return page
