"""The shifts in the stored response times of one target, with the runs and releases around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gate.change_points import Shift, find
from gate.history import KeptTimes
from reports.change_schema import ShiftData
from reports.schema import ResponseTime
from spec.model import Shifts


def shifts(runs: Sequence[KeptTimes], rule: Shifts, known: Iterable[str]) -> list[ShiftData]:
    """The shifts of everything that was measured, the latest first; `known` are the keys of those reported before."""
    seen = set(known)
    found = []
    for name in sorted({name for run in runs for name in run["times"]}):
        measured = [run for run in runs if rule.figure in run["times"].get(name, {})]
        values = [run["times"][name][rule.figure] for run in measured]
        found += [_data(name, measured, shift, rule, seen) for shift in find(values, rule)]
    return sorted(found, key=lambda shift: (shift["at"], shift["name"]), reverse=True)


def key_of(shift: ShiftData) -> str:
    """What a shift is known by in the next run: the thing, the direction, and the run that it begins with."""
    return f"{shift['name']} {'up' if shift['change'] > 0 else 'down'} {shift['run_id']}"


def _data(name: str, runs: Sequence[KeptTimes], shift: Shift, rule: Shifts, seen: set[str]) -> ShiftData:
    last, first = runs[shift.index - 1], runs[shift.index]
    data: ShiftData = {
        "name": name,
        "figure": rule.figure,
        "before_ms": round(shift.before, 3),
        "now_ms": round(shift.now, 3),
        "change": round(shift.change, 4),
        "p_value": shift.p_value,
        "at": first["started_at"],
        "run_id": first["run_id"],
        "release": first["release"],
        "last_run": last["run_id"],
        "last_release": last["release"],
        "is_new": True,
    }
    data["is_new"] = key_of(data) not in seen
    return data


def figures_of(rows: Iterable[ResponseTime]) -> dict[str, dict[str, float]]:
    """What is kept of the response times of a run."""
    return {row["name"]: {name: round(value, 3) for name, value in row["figures"].items()} for row in rows}
