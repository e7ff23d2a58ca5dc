"""The suite `resilience` and its faults: what turns red where a protection was removed, by `drills.toml` beside this module.

`python -m proof.drill_pairs` prints the table: each drill with the faults that it must see.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from spec import load

FILE = Path(__file__).with_name("drills.toml")
FOLDER = "acceptance/resilience"


class Pairs(BaseModel):
    """The file: the drills that each fault turns red, and the modules of the faults that other checks of the suite see."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    faults: dict[str, list[str]]
    modules: dict[str, list[str]] = {}


@cache
def pairs(path: Path = FILE) -> Pairs:
    """What the file says."""
    return Pairs.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def drills_by_fault(path: Path = FILE) -> Mapping[str, list[str]]:
    """The drills that each fault must turn red, by the fault's id."""
    return pairs(path).faults


def faults_by_drill(path: Path = FILE) -> dict[str, list[str]]:
    """The faults that each drill of the specification must see, by the drill's id, in the order of the specification."""
    found = drills_by_fault(path)
    return {drill.id: [fault for fault, drills in found.items() if drill.id in drills] for drill in load().drills.drill}


def seen_in(fault: str, path: Path = FILE) -> list[str]:
    """The modules of the suite in which a fault can be seen; none for a fault that drills see, or all of them."""
    return [f"{FOLDER}/test_{module}.py" for module, seen in pairs(path).modules.items() if fault in seen]


def only_drills(fault: str, path: Path = FILE) -> list[str]:
    """Arguments of pytest that leave the drills, or the module, which must see a fault; everything for a fault without any."""
    drills = drills_by_fault(path).get(fault, ())
    if drills:
        return ["-k", " or ".join(f"[{drill}]" for drill in drills)]
    modules: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8")).get("modules", {})
    return [module for pattern, module in modules.items() if re.fullmatch(pattern, fault)]


def main() -> int:
    """Print the table; exit code 1 where a drill has no fault."""
    table = faults_by_drill()
    for drill, faults in table.items():
        print(f"{drill:<32} {', '.join(faults) or 'none'}")
    return int(not all(table.values()))


if __name__ == "__main__":
    sys.exit(main())
