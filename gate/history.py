"""Where runs on a target are kept, and how they are read again; reports/kept.py and reports/review.py write them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typing_extensions import TypedDict

from gate.places import HISTORY, OUT
from gate.session import Session

SCHEMA = 1
FOLDER = "calendar"
TIMES = "response_times.jsonl"
RECOVERIES = "recoveries.jsonl"


class KeptTimes(TypedDict):
    """Response times of one run: figures in milliseconds, and the targets that it was held to, by thing."""

    schema: int
    run_id: str
    started_at: str
    release: str
    times: dict[str, dict[str, float]]
    targets: dict[str, list[str]]


class Recovered(TypedDict):
    """One recovery after a drill: the target that it is held to, and its limit; seconds by part, `total` where all was normal.

    `remaining` says of each other part what was seen of it last.
    """

    drill: str
    target: str
    limit: float
    total: float | None
    seconds: dict[str, float]
    remaining: dict[str, str]


class KeptRecoveries(TypedDict):
    """Recoveries of one run, on a system whose waits were divided by `speedup`."""

    schema: int
    run_id: str
    started_at: str
    release: str
    speedup: float
    recoveries: list[Recovered]


def earlier_totals(runs: Sequence[KeptRecoveries], speedup: float) -> dict[str, list[float]]:
    """Seconds until all was normal after each drill, oldest first, of runs with the same speed-up."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for one in run["recoveries"] if run["speedup"] == speedup else []:
            if one["total"] is not None:
                found.setdefault(one["drill"], []).append(one["total"])
    return found


def folder_of(out: Path) -> Path:
    """Where the history of runs with this results folder is kept: outside of what the next run clears."""
    return HISTORY if out.resolve() == OUT else out / "history"


def root_of(config: pytest.Config) -> Path:
    """The folder of all history: what the command line names, or that of the results folder."""
    return Path(config.option.history or folder_of(Path(config.option.out)))


def target_folder(history: Path, session: Session) -> Path:
    """Where the runs on this target are kept; ports are left out, which a twin has others of each time."""
    name, host = session.settings.text("HARNESS_TARGET_NAME"), urlsplit(session.api_url).hostname or ""
    identity = json.dumps([session.spec.meta.name, name, host])
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{name}-{host}").strip("-.") or "target"
    return history / FOLDER / f"{readable[:60]}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def read_lines(path: Path) -> list[Any]:
    """The entries of a file, oldest first; a line that is none of this version is passed over."""
    found: list[Any] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("schema") == SCHEMA:
            found.append(entry)
    return found
