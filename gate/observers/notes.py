"""What observers noted: a file for each process in the run's folder, all of which are read at the end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gate.failures import Exchange, Facts, Failure
from gate.shared import SharedFolder
from spec.codes import declared

FOLDER = "observers"
MOST = 20
# Facts of a note that are not its failure's.
COUNT = "count"


@dataclass
class Noted:
    """What one observer noted: exchanges that it judged, failures by code and subject."""

    seen: int = 0
    failures: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def add(self, failure: Failure, count: int = 1) -> bool:
        """Keep a failure; returns whether it is new."""
        key = (failure.code, failure.subject)
        if known := self.failures.get(key):
            known[COUNT] += count
            return False
        if len(self.failures) >= MOST:
            return False
        self.failures[key] = failure.as_data() | {COUNT: count}
        return True

    def worst_first(self) -> list[tuple[Failure, int]]:
        """Failures with the number of exchanges that showed them: by harm, then the most frequent."""
        codes = declared()
        ordered = sorted(
            self.failures.items(), key=lambda entry: (codes.rank(codes.codes[entry[0][0]].harm), -entry[1][COUNT], entry[0])
        )
        return [(_failure(data), int(data[COUNT])) for _, data in ordered]


def write(shared: SharedFolder, noted: Mapping[str, Noted], mask: Callable[[str], str]) -> None:
    """Write what the observers of this process noted so far."""
    data = {name: {"seen": entry.seen, "failures": list(entry.failures.values())} for name, entry in noted.items()}
    # Another process, which makes the report of it, need not know the secrets that this one does.
    shared.write(f"{FOLDER}/{os.getpid()}.json", mask(json.dumps(data, ensure_ascii=False)))


def read(shared: SharedFolder, name: str) -> Noted:
    """What an observer noted in all processes."""
    total = Noted()
    for path in sorted((shared.path / FOLDER).glob("*.json")):
        entry = json.loads(path.read_text()).get(name)
        if entry is None:
            continue
        total.seen += entry["seen"]
        for data in entry["failures"]:
            total.add(_failure(data), data[COUNT])
    return total


def _failure(data: Mapping[str, Any]) -> Failure:
    """A failure as it was noted."""
    exchange = Exchange(**data["exchange"]) if data["exchange"] else None
    return Failure(
        data["code"], data["subject"], expected=data["expected"], observed=Facts(data["observed"]), relation=data["relation"],
        what=data["what"], because=data["because"], hint=data["hint"], component=data["component"], exchange=exchange,
    )  # fmt: skip
