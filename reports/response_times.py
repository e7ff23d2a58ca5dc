"""Measured response times: one row for each thing that was measured, the one nearest to its limit first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypedDict

from reports.schema import ResponseTime


class Record(TypedDict):
    """What fixtures/measure.py leaves of one thing held to one target; figures and limits in milliseconds, as `p95_ms`."""

    name: str
    target: str
    section: str
    figures: dict[str, float]
    limits: dict[str, float]
    milliseconds: list[float]


def read(folder: Path) -> list[ResponseTime]:
    """The rows of all records in a folder."""
    return rows(json.loads(path.read_text()) for path in sorted(folder.glob("*.json")))


def rows(records: Iterable[Record]) -> list[ResponseTime]:
    """One row for each thing; one that is held to several targets keeps the strictest limits and its worst figures."""
    by_name: dict[str, list[Record]] = {}
    for record in records:
        by_name.setdefault(record["name"], []).append(record)
    return sorted(map(_row, by_name.values()), key=lambda row: -row["nearness"])


def _row(records: Sequence[Record]) -> ResponseTime:
    limits: dict[str, float] = {}
    for record in records:
        for figure, limit in record["limits"].items():
            limits[figure] = min(limit, limits.get(figure, limit))
    worst = max(records, key=lambda record: _nearness(record["figures"], limits))
    figures = worst["figures"]
    return {
        "name": worst["name"],
        "section": "; ".join(dict.fromkeys(record["section"] for record in records)),
        "targets": sorted({record["target"] for record in records}),
        "count": len(worst["milliseconds"]),
        "figures": {_short(name): value for name, value in figures.items()},
        "low": min(worst["milliseconds"]),
        "limits": {_short(name): limit for name, limit in limits.items()},
        "broken": [_short(name) for name, limit in limits.items() if figures[name] >= limit],
        "nearness": round(_nearness(figures, limits), 4),
    }


def _nearness(figures: dict[str, float], limits: dict[str, float]) -> float:
    return max((figures[name] / limit for name, limit in limits.items()), default=0.0)


def _short(figure: str) -> str:
    return figure.removesuffix("_ms")
