"""Runs of the calendar as they are kept: one file of JSON lines for each target and each entry of the calendar.

`HISTORY/calendar/TARGET/NAME.jsonl`, the oldest run first, at most as many as `[history] runs` says; `TARGET` is made of the
target's name, the host of its API and the system, so that runs of two targets never meet. Everything is masked before it is
written, and the run's own id is taken out. docs/calendar.md describes the fields.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from filelock import FileLock
from typing_extensions import TypedDict

from gate.checks import masked
from gate.failures import Value

LOCK = ".lock"
LOCK_SECONDS = 30.0
# What takes the place of the run's own id.
OWN_RUN = "RUN"


class KeptFact(TypedDict):
    """One thing that was wrong; `observed` by check, typed. `since` and `since_run`: the first run that found it."""

    code: str
    subject: str
    component: str
    title: str
    text: str
    observed: dict[str, dict[str, Value]]
    since: str
    since_run: str


class KeptRun(TypedDict):
    """One run. `selection` is what narrowed its checks down; `reasons` says why a check was not judged or blocked."""

    schema: int
    run_id: str
    started_at: str
    calendar: str
    selection: str
    harness: str
    release: str
    verdict: str
    checks: dict[str, str]
    reasons: dict[str, str]
    facts: list[KeptFact]
    values: dict[str, Value]
    shifts: list[str]


def append(path: Path, entry: Mapping[str, object], most: int, mask: Callable[[str], str]) -> None:
    """Add an entry, and drop the oldest beyond the number that is kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(masked(dict(entry), mask), ensure_ascii=False)
    with FileLock(path.with_name(path.name + LOCK), timeout=LOCK_SECONDS):
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        draft = path.with_name(path.name + ".part")
        draft.write_text("\n".join([*lines[1 - most :], line]) + "\n", encoding="utf-8")
        draft.replace(path)


def without_run(value: Value, own_run: str) -> Value:
    """A value with the run's own id taken out of every text, also where it is a key."""
    if isinstance(value, str):
        return value.replace(own_run, OWN_RUN)
    if isinstance(value, dict):
        return {name.replace(own_run, OWN_RUN): without_run(item, own_run) for name, item in value.items()}
    return [without_run(item, own_run) for item in value] if isinstance(value, list) else value
