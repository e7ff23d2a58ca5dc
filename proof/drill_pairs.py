"""Drills and faults: which drills turn red where a protection was removed, by `drills.toml` beside this module.

`python -m proof.drill_pairs` prints the table: each drill with the faults that it must see.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from spec import load

FILE = Path(__file__).with_name("drills.toml")


@cache
def drills_by_fault(path: Path = FILE) -> Mapping[str, tuple[str, ...]]:
    """The drills that each fault of the resilience suite must turn red, by the fault's id."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))["faults"]
    return {fault: tuple(drills) for fault, drills in found.items()}


def faults_by_drill(path: Path = FILE) -> dict[str, list[str]]:
    """The faults that each drill of the specification must see, by the drill's id, in the order of the specification."""
    pairs = drills_by_fault(path)
    return {drill.id: [fault for fault, drills in pairs.items() if drill.id in drills] for drill in load().drills.drill}


def only_drills(fault: str, path: Path = FILE) -> list[str]:
    """Arguments of pytest that leave the drills which must see a fault; all of them for a fault without any."""
    drills = drills_by_fault(path).get(fault, ())
    return ["-k", " or ".join(f"[{drill}]" for drill in drills)] if drills else []


def main() -> int:
    """Print the table; exit code 1 where a drill has no fault."""
    table = faults_by_drill()
    for drill, faults in table.items():
        print(f"{drill:<32} {', '.join(faults) or 'none'}")
    return int(not all(table.values()))


if __name__ == "__main__":
    sys.exit(main())
