"""What is different between two runs: newly red, newly green, slower, new and removed checks.

`python -m reports.compare A B`, where each is a results folder or a verdict.json. Exit code 1 when something became red.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from gate.exit_codes import ExitCode
from reports.schema import CheckData, VerdictData

RED = ("failed", "blocked")
SLOWER, AT_LEAST_SECONDS = 1.5, 0.5
SHOWN = 15


@dataclass
class Difference:
    """Names of checks by what became of them."""

    findings_new: list[str] = field(default_factory=list)
    findings_resolved: list[str] = field(default_factory=list)
    newly_red: list[str] = field(default_factory=list)
    newly_green: list[str] = field(default_factory=list)
    slower: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def titled(self) -> list[tuple[str, list[str]]]:
        """The names under their titles, in the order to show them."""
        return [
            ("new findings", self.findings_new),
            ("resolved findings", self.findings_resolved),
            ("newly red", self.newly_red),
            ("newly green", self.newly_green),
            ("slower", self.slower),
            ("new checks", self.new),
            ("removed checks", self.removed),
        ]


def checks_of(data: VerdictData) -> dict[str, CheckData]:
    """Checks of a verdict by id."""
    return {check["id"]: check for item in data["checklist"] for check in item["checks"]}


def compare(old: VerdictData, new: VerdictData) -> Difference:
    """From the old run to the new one."""
    before, after = checks_of(old), checks_of(new)
    found = Difference(new=sorted(after.keys() - before.keys()), removed=sorted(before.keys() - after.keys()))
    for name in sorted(before.keys() & after.keys()):
        _compare_check(found, before[name], after[name])
    shown = [{f"{f['component']}: {f['title']}" for f in data["findings"]} for data in (old, new)]
    found.findings_new, found.findings_resolved = sorted(shown[1] - shown[0]), sorted(shown[0] - shown[1])
    return found


def _compare_check(found: Difference, old: CheckData, new: CheckData) -> None:
    if new["status"] in RED and old["status"] not in RED:
        found.newly_red.append(f"{new['id']}: {new['status']}, {new['observed']}")
    elif old["status"] in RED and new["status"] not in RED:
        found.newly_green.append(new["id"])
    before, after = old["seconds"], new["seconds"]
    if after - before >= AT_LEAST_SECONDS and after > SLOWER * before:
        found.slower.append(f"{new['id']}: {before:.1f} s → {after:.1f} s")


def format_lines(old: VerdictData, new: VerdictData, found: Difference) -> list[str]:
    """The difference for a terminal."""
    lines = [_head("A", old), _head("B", new)]
    for title, names in found.titled():
        if names:
            lines += [f"{title} ({len(names)})", *(f"  {name}" for name in names[:SHOWN])]
            lines += [f"  and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return lines if len(lines) > 2 else [*lines, "no difference"]


def _head(letter: str, data: VerdictData) -> str:
    return f"{letter}  {data['verdict']:<8}{data['started_at']}  {data['target']['release'][:12]}  run {data['run_id']}"


def read(text: str) -> VerdictData:
    """A verdict by its folder or file; raises OSError or ValueError."""
    path = Path(text)
    data: VerdictData = json.loads((path / "verdict.json" if path.is_dir() else path).read_text(encoding="utf-8"))
    if not isinstance(data, dict) or "checklist" not in data or "release" not in data.get("target", {}):
        raise ValueError("not a verdict")
    return data


def main() -> ExitCode:
    """Print the difference."""
    if len(sys.argv) != 3:
        print("usage: python -m reports.compare A B  (results folders or verdict.json files)", file=sys.stderr)
        return ExitCode.USAGE
    data = []
    for text in sys.argv[1:]:
        try:
            data.append(read(text))
        except (OSError, ValueError) as error:
            print(f"compare: {text}: cannot be read as a verdict ({type(error).__name__})", file=sys.stderr)
            return ExitCode.USAGE
    old, new = data
    found = compare(old, new)
    print("\n".join(format_lines(old, new, found)))
    return ExitCode.FAIL if found.newly_red else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
