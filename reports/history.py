"""The verdicts of earlier runs, for the page's trend."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typing_extensions import TypedDict

from gate.history import folder_of
from reports.schema import VerdictData
from reports.terminal import format_title

FILE = "verdicts.jsonl"
SHOWN = 30


class TrendData(TypedDict):
    """One run in the history."""

    run_id: str
    started_at: str
    verdict: str
    duration_s: float
    target: str
    release: str
    counts: dict[str, int]
    top: str


def remember(out: Path, data: VerdictData, mask: Callable[[str], str]) -> None:
    """Add one run to the history."""
    folder = folder_of(out)
    folder.mkdir(parents=True, exist_ok=True)
    top = data["findings"][0] if data["findings"] else None
    line: TrendData = {
        "run_id": data["run_id"],
        "started_at": data["started_at"],
        "verdict": data["verdict"],
        "duration_s": data["duration_s"],
        "target": data["target"]["name"],
        "release": data["target"]["release"],
        "counts": data["counts"],
        "top": format_title(top) if top else "",
    }
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(mask(json.dumps(line, ensure_ascii=False)) + "\n")


def trend(out: Path, target: str) -> list[TrendData]:
    """The last runs against this target, oldest first; a line that cannot be read is passed over."""
    path = folder_of(out) / FILE
    found: list[TrendData] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            entry: TrendData = json.loads(line)
            if entry["target"] == target:
                found.append(entry)
        except (ValueError, TypeError, KeyError):
            continue
    return found[-SHOWN:]
