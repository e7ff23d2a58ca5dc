"""What is different between two runs: newly red, newly green, slower, new, gone.

`python -m reports.compare A B`, where each is a results folder or a verdict.json. Exit code 1 when something became red.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RED = ("failed", "blocked")
SLOWER, AT_LEAST_SECONDS = 1.5, 0.5
SHOWN = 15
USAGE_ERROR = 4


@dataclass
class Difference:
    """Names of checks by what became of them."""

    newly_red: list[str] = field(default_factory=list)
    newly_green: list[str] = field(default_factory=list)
    slower: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    findings_new: list[str] = field(default_factory=list)
    findings_gone: list[str] = field(default_factory=list)


def checks_of(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Checks of a verdict by id."""
    return {check["id"]: check for item in data["checklist"] for check in item["checks"]}


def compare(old: dict[str, Any], new: dict[str, Any]) -> Difference:
    """From the old run to the new one."""
    before, after = checks_of(old), checks_of(new)
    found = Difference(new=sorted(after.keys() - before.keys()), gone=sorted(before.keys() - after.keys()))
    for name in sorted(before.keys() & after.keys()):
        was, now = before[name], after[name]
        if now["status"] in RED and was["status"] not in RED:
            found.newly_red.append(f"{name}: {now['status']}, {now['observed']}")
        elif was["status"] in RED and now["status"] not in RED:
            found.newly_green.append(name)
        a, b = float(was.get("seconds", 0)), float(now.get("seconds", 0))
        if b - a >= AT_LEAST_SECONDS and b > SLOWER * a:
            found.slower.append(f"{name}: {a:.1f} s → {b:.1f} s")
    shown = [{f"{f['component']}: {f['summary']}" for f in data["findings"]} for data in (old, new)]
    found.findings_new, found.findings_gone = sorted(shown[1] - shown[0]), sorted(shown[0] - shown[1])
    return found


def lines(old: dict[str, Any], new: dict[str, Any], found: Difference) -> list[str]:
    """The difference for a terminal."""
    told = [f"A  {data['verdict']:<8}{data['started_at']}  {data['commit'][:12]}  run {data['run_id']}" for data in (old,)]
    told += [f"B  {data['verdict']:<8}{data['started_at']}  {data['commit'][:12]}  run {data['run_id']}" for data in (new,)]
    for title, names in (
        ("new findings", found.findings_new),
        ("findings gone", found.findings_gone),
        ("newly red", found.newly_red),
        ("newly green", found.newly_green),
        ("slower", found.slower),
        ("new checks", found.new),
        ("gone checks", found.gone),
    ):
        if names:
            told.append(f"{title} ({len(names)})")
            told += [f"  {name}" for name in names[:SHOWN]]
            told += [f"  and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return told if len(told) > 2 else [*told, "no difference"]


def read(text: str) -> dict[str, Any]:
    """A verdict by its folder or file; raises OSError or ValueError."""
    path = Path(text)
    data: dict[str, Any] = json.loads((path / "verdict.json" if path.is_dir() else path).read_text(encoding="utf-8"))
    if "checklist" not in data:
        raise ValueError("no verdict")
    return data


def main() -> int:
    """Print the difference; returns the exit code."""
    if len(sys.argv) != 3:
        print("usage: python -m reports.compare A B  (results folders or verdict.json files)", file=sys.stderr)
        return USAGE_ERROR
    data = []
    for text in sys.argv[1:]:
        try:
            data.append(read(text))
        except (OSError, ValueError) as error:
            print(f"compare: {text}: cannot be read as a verdict ({type(error).__name__})", file=sys.stderr)
            return USAGE_ERROR
    old, new = data
    found = compare(old, new)
    print("\n".join(lines(old, new, found)))
    return 1 if found.newly_red else 0


if __name__ == "__main__":
    sys.exit(main())
