"""Which fault turns which check red: a small file beside this one, learned from the last fault matrix and the last mutations.

The matrix itself is large and is not checked in. What a check was proven by before stays until another result says otherwise.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gate.places import OUT
from proof.matrix import HEALTHY

FILE = Path(__file__).with_name("proven.json")
MATRIX = "fault-matrix.json"
MUTATIONS = "mutations.json"
# Of each check, the faults that turn the fewest others red: those are about it.
MOST = 3
MUTATION = "mutation"

# Check → ids of faults, or `mutation` where only a changed fact of the specification proves it.
Proofs = Mapping[str, Sequence[str]]


def read(file: Path = FILE) -> Proofs:
    """What is known."""
    found: dict[str, list[str]] = {}
    for names, checks in json.loads(file.read_text()) if file.exists() else []:
        found |= dict.fromkeys(checks, names)
    return found


def learn(known: Proofs, checks: Iterable[str], results: Path = OUT) -> Proofs:
    """What is known after the last results, for the checks that there are."""
    rows = json.loads((results / MATRIX).read_text())["rows"] if (results / MATRIX).exists() else []
    mutations = json.loads((results / MUTATIONS).read_text()) if (results / MUTATIONS).exists() else []
    wide = Counter({(row["fault"], row["suite"]): len(row["red"]) for row in rows})
    run = {row["fault"] for row in rows}
    by_fault: dict[str, dict[str, int]] = {}
    for row in rows:
        for name in row["red"] if row["fault"] != HEALTHY else ():
            seen = by_fault.setdefault(name, {})
            seen[row["fault"]] = min(seen.get(row["fault"], 10**6), wide[row["fault"], row["suite"]])
    mutated = {name for mutation in mutations for name in mutation["red"]}
    found = {}
    for check in checks:
        seen = by_fault.get(check, {})
        kept = {fault: 10**6 for fault in known.get(check, ()) if fault not in run and (fault != MUTATION or not mutations)}
        narrow = sorted(kept | seen, key=lambda fault: (seen.get(fault, 10**6), fault))
        faults = [fault for fault in narrow if fault != MUTATION][:MOST]
        if names := faults or ([MUTATION] if check in mutated or MUTATION in kept else []):
            found[check] = sorted(names)
    return found


def write(proofs: Proofs, file: Path = FILE) -> None:
    """Keep it: checks that are proven by the same faults stand together."""
    grouped: dict[tuple[str, ...], list[str]] = {}
    for check, names in sorted(proofs.items()):
        grouped.setdefault(tuple(names), []).append(check)
    lines = [json.dumps([list(names), checks]) for names, checks in sorted(grouped.items())]
    file.write_text("[\n" + ",\n".join(lines) + "\n]\n")
