"""The access matrix as its checks left it in the run's folder: a table for each kind of thing, a column for each who."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gate.cells import CellData, State

# The worst of several cells in one place.
WORST: tuple[State, ...] = ("wrong", "unclear", "right")
SIGNS = {"right": "✓", "wrong": "✗", "unclear": "?"}


@dataclass(frozen=True)
class Place:
    """One place of a table: its state, and each cell in it as text."""

    state: State
    sign: str
    text: str


@dataclass(frozen=True)
class Line:
    """One line of a table: what is asked for, whose it is, and a place for each column."""

    what: str
    whose: str
    places: list[Place | None]


@dataclass(frozen=True)
class Table:
    """The cells of one kind."""

    title: str
    columns: list[str]
    lines: list[Line]
    counts: Counter[str]


def read(folder: Path) -> list[CellData]:
    """All cells of a run."""
    found: list[CellData] = []
    for path in sorted(folder.glob("*.json")):
        found += json.loads(path.read_text())
    return found


def tables(cells: Sequence[CellData]) -> list[Table]:
    """A table for each kind, in the order in which the cells are given."""
    return [
        _table(title, [cell for cell in cells if cell["title"] == title]) for title in dict.fromkeys(c["title"] for c in cells)
    ]


def counts(cells: Sequence[CellData]) -> Counter[str]:
    """How many cells are right, wrong and not judged."""
    return Counter(cell["state"] for cell in cells)


def _table(title: str, cells: Sequence[CellData]) -> Table:
    columns = list(dict.fromkeys(cell["who"] for cell in cells))
    lines = []
    for what, whose in dict.fromkeys((cell["what"], cell["whose"]) for cell in cells):
        here = [cell for cell in cells if (cell["what"], cell["whose"]) == (what, whose)]
        lines.append(Line(what, whose, [_place([cell for cell in here if cell["who"] == who]) for who in columns]))
    return Table(title, columns, lines, counts(cells))


def _place(cells: Sequence[CellData]) -> Place | None:
    if not cells:
        return None
    state = next(state for state in WORST if any(cell["state"] == state for cell in cells))
    shown = [cell for cell in cells if cell["state"] == state]
    return Place(state, SIGNS[state], "; ".join(_text(cell) for cell in shown))


def _text(cell: CellData) -> str:
    seen = ", ".join(filter(None, (str(cell["status"] or ""), cell["text"])))
    wanted = cell["expected"].replace("_", " ")
    return f"{cell['who']}, {cell['what']}, {cell['whose']}: expected {wanted}; {seen or 'as expected'}"
