"""facts.json: what each check found, as typed facts; findings can be made of it again without another run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gate.checks import CheckFacts, masked
from reports.model import Check

FILE = "facts.json"
VERSION = 1


def write(folder: Path, checks: Iterable[Check], error_of: Callable[[str], str | None], mask: Callable[[str], str]) -> None:
    """Write the checks, and the kind of error of each prerequisite that blocked one."""
    kept = list(checks)
    errors = {name: error_of(name) for name in sorted({check.facts.blocked_by for check in kept} - {""})}
    data = {
        "schema": VERSION,
        "unavailable": {name: error for name, error in errors.items() if error is not None},
        "checks": [_data(check) for check in kept],
    }
    (folder / FILE).write_text(json.dumps(masked(data, mask), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> list[Check]:
    """The checks of a file, or of the results folder that holds it."""
    return [_check(found) for found in _read(path)["checks"]]


def unavailable(path: Path) -> dict[str, str]:
    """The prerequisites that were unavailable, and the kind of error that made them so (empty: not known)."""
    found: dict[str, str] = _read(path)["unavailable"]
    return found


def _read(path: Path) -> Any:
    return json.loads((path / FILE if path.is_dir() else path).read_text(encoding="utf-8"))


def _data(check: Check) -> dict[str, Any]:
    return {
        "id": check.nodeid,
        "outcome": check.outcome,
        "seconds": round(check.duration, 3),
        "ended": check.ended,
        "reason": check.reason,
        "facts": asdict(check.facts),
        "asked": dict(check.asked),
        "failed_requests": dict(check.failed_requests),
        "worked_requests": dict(check.worked_requests),
    }


def _check(data: Any) -> Check:
    return Check(
        data["id"],
        data["outcome"],
        CheckFacts(**data["facts"]),
        data["seconds"],
        data["ended"],
        data["reason"],
        Counter(data["asked"]),
        Counter(data["failed_requests"]),
        Counter(data.get("worked_requests", {})),
    )
