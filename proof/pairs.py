"""Two faults at once: pairs drawn by a seed, each judged in one run; both causes must be named, and no third.

`python -m proof.pairs [--pairs 60] [--seed 13] [--jobs 2]` draws from the faults of the last matrix. A pair in which one fault
takes away everything that could show the other (by the checks that each turned red or blocked alone) is drawn again. Writes
docs/fault-pairs.md and reports/out/fault-pairs.json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gate.exit_codes import ExitCode
from proof.figures import Share
from proof.gate_run import FindingSeen, run_gate
from proof.matrix import NO_MODE, REFUSED, RUN_SECONDS, Known, Row, known_faults, read_rows
from proof.named import names
from proof.pages import DOCS, results

SUITES = "predeploy or postdeploy"
JUDGED_IN = {"predeploy", "postdeploy"}


@dataclass
class Pair:
    """Two faults and what the gate concluded of both at once."""

    faults: tuple[str, str]
    exit_code: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    third: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether both causes are named, and no third."""
        return not self.missing and not self.third


def is_named(fault: Known, finding: FindingSeen) -> bool:
    """Whether a finding names a fault: part, failure mode and what is broken."""
    mode = (finding.failure_mode or NO_MODE) in fault.mode.split("|")
    is_there = finding.component in fault.component.split("/")
    return is_there and mode and names(fault.subject, (str(finding), *finding.subjects))


def hides(one: Row, other: Row) -> bool:
    """Whether everything that showed `other` alone is red or blocked with `one` alone."""
    return set(other.red) <= {*one.red, *one.blocked}


def draw(faults: Sequence[Known], rows: Sequence[Row], count: int, seed: int) -> list[tuple[Known, Known]]:
    """So many different pairs of faults that can both be seen."""
    alone: dict[str, Row] = {}
    for row in rows:
        if row.suite in JUDGED_IN and row.red:
            known = alone.setdefault(row.fault, Row(row.fault, row.suite, "", "", 1, 0.0))
            known.red += row.red
            known.blocked += row.blocked
    able = [fault for fault in faults if fault.id in alone and fault.id not in REFUSED]
    chance = random.Random(seed)
    found: dict[tuple[str, str], tuple[Known, Known]] = {}
    while len(found) < count:
        first, second = sorted(chance.sample(able, 2), key=lambda fault: fault.id)
        if not hides(alone[first.id], alone[second.id]) and not hides(alone[second.id], alone[first.id]):
            found[(first.id, second.id)] = (first, second)
    return list(found.values())


def judge(first: Known, second: Known) -> Pair:
    """Run both suites on a twin with both faults."""
    with tempfile.TemporaryDirectory(prefix="pair-") as folder:
        arguments = ["--target", "twin", "--fault", first.id, "--fault", second.id]
        done = run_gate(SUITES, Path(folder), arguments, RUN_SECONDS)
    findings = done.verdict.findings
    pair = Pair((first.id, second.id), done.exit_code, round(done.seconds, 1), [str(finding) for finding in findings])
    both = (first, second)
    pair.missing = [fault.id for fault in both if not any(is_named(fault, finding) for finding in findings)]
    pair.third = [str(finding) for finding in findings if not any(is_named(fault, finding) for fault in both)]
    return pair


def markdown(pairs: Sequence[Pair], seed: int) -> str:
    """The figure, then the pairs that are not right."""
    good = sum(pair.is_right for pair in pairs)
    lines = [
        "# Two faults at once",
        "",
        f"Produced by `python -m proof.pairs`; seed {seed}. Both causes named, and no third finding of another cause:",
        f"**{Share(good, len(pairs)).above}**.",
        "",
        "| faults | not named | a third | findings |",
        "|---|---|---|---|",
    ]
    for pair in sorted(pairs, key=lambda pair: pair.is_right):
        cells = (" + ".join(pair.faults), ", ".join(pair.missing), "; ".join(pair.third), "; ".join(pair.findings))
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the pairs; exit code 1 when one is not right."""
    parser = argparse.ArgumentParser(prog="python -m proof.pairs", description=__doc__)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--only", default="", help="pairs such as F01+G16, separated by commas")
    options = parser.parse_args(arguments)
    rows = read_rows()
    if not rows:
        print("pairs: there is no fault matrix to draw from; run `make faults` first", file=sys.stderr)
        return ExitCode.USAGE
    known = {fault.id: fault for fault in known_faults()}
    if options.only:
        chosen = [(known[one], known[other]) for one, _, other in (name.partition("+") for name in options.only.split(","))]
    else:
        chosen = draw(list(known.values()), rows, options.pairs, options.seed)
    pairs, started = [], time.monotonic()
    with ThreadPoolExecutor(options.jobs) as pool:
        for future in as_completed([pool.submit(judge, *pair) for pair in chosen]):
            pairs.append(pair := future.result())
            state = "ok  " if pair.is_right else "MISS"
            wrong = f" missing {pair.missing} third {pair.third}" if not pair.is_right else ""
            print(f"[{len(pairs)}/{len(chosen)}] {state} {'+'.join(pair.faults)} {pair.seconds:.0f} s{wrong}", flush=True)
    if not options.only:
        results("fault-pairs.json").write_text(json.dumps([asdict(pair) for pair in pairs], indent=1) + "\n")
        (DOCS / "fault-pairs.md").write_text(markdown(pairs, options.seed))
    good = sum(pair.is_right for pair in pairs)
    print(f"{Share(good, len(pairs)).above} in {time.monotonic() - started:.0f} s")
    return ExitCode.PASS if good == len(pairs) else ExitCode.FAIL


if __name__ == "__main__":
    sys.exit(main())
