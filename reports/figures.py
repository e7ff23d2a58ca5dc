"""Figures of the platform and of the database with their bounds, as fixtures/figures.py leaves them in the run's folder."""

from __future__ import annotations

import json
from pathlib import Path

from reports.schema import FigureData


def read(folder: Path) -> list[FigureData]:
    """All figures of a run: the broken ones first, those that were not judged last, else by what they are about."""
    found: list[FigureData] = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda f: (not f["broken"], not f["judged"], f["subject"], f["name"], f["window"]))
