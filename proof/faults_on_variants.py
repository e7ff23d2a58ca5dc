"""The fault matrix on other systems: the faults on variants of the twin, caught and named as on the ordinary one.

`python -m proof.faults_on_variants --variants V04,V90,V81 [--only F01,F02] [--jobs 2]` writes docs/fault-matrix-variants.md and
reports/out/faults-on-variants.json. What was run again takes the place of its earlier rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from gate.exit_codes import ExitCode
from proof.figures import Share
from proof.matrix import Known, Row, judge, known_faults
from proof.pages import DOCS, results
from twin.changes import find_in, in_order
from twin.plan import make
from twin.systems import DEFAULT, SYSTEMS

FILE = "faults-on-variants.json"
PAGE = DOCS / "fault-matrix-variants.md"
# The performance suite measures minutes for a fault; it is judged on the ordinary twin.
SUITES = ("predeploy", "postdeploy")
HEAD = """# Fault matrix on variants

The faults of [the matrix](fault-matrix.md) on systems that are different:
`python -m proof.faults_on_variants --variants {ids}`. A fault that changes a file of the ordinary release fits a variant
only where that has the same file, or a change of its own for it.
"""


@dataclass(frozen=True)
class OnVariant:
    """A row of the matrix, and the variant that it was judged on."""

    variant: str
    row: Row


def fits(fault: str, variant: str) -> bool:
    """Whether a fault can be put on top of a variant; nothing is started."""
    system = SYSTEMS[DEFAULT]
    system.load()
    changes = [*find_in(system.variants, [variant], "variants"), *find_in(system.faults, [fault], "faults")]
    with tempfile.TemporaryDirectory(prefix="fits-") as folder:
        try:
            in_order(changes)(make(Path(folder), 60.0))
        except (ValueError, OSError):
            return False
    return True


def run_all(faults: Sequence[Known], variants: Sequence[str], jobs: int) -> list[OnVariant]:
    """Every fault that fits on every variant, in its suites; progress goes to the terminal."""
    work = [
        (fault, suite, variant)
        for variant in variants
        for fault in faults
        if fits(fault.id, variant)
        for suite in fault.suites
        if suite in SUITES
    ]
    found: list[OnVariant] = []
    with ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(judge, fault, suite, variant=variant): variant for fault, suite, variant in work}
        for future in as_completed(futures):
            found.append(done := OnVariant(futures[future], future.result()))
            state = "ok  " if done.row.is_right else "MISS"
            shown = f"{done.row.conclusion} ({done.row.problems})" if not done.row.is_right else ""
            print(
                f"[{len(found)}/{len(work)}] {state} {done.variant} {done.row.fault:<5} {done.row.suite:<11} {shown}",
                flush=True,
            )
    return found


def markdown(found: Sequence[OnVariant], total: int) -> str:
    """Counts for each variant, then what was not right."""
    variants = sorted({each.variant for each in found})
    lines = [
        HEAD.format(ids=",".join(variants)),
        "| variant | faults that fit | caught | named, with the right failure mode |",
        "|---|---|---|---|",
    ]
    for variant in variants:
        rows = [each.row for each in found if each.variant == variant]
        ids = {row.fault for row in rows}
        caught = {id for id in ids if all(row.is_red for row in rows if row.fault == id)}
        named = {id for id in ids if all(row.is_right for row in rows if row.fault == id)}
        shares = " | ".join(Share(len(good), len(ids)).above for good in (caught, named))
        lines.append(f"| {variant} | {len(ids)} of {total} | {shares} |")
    lines += [
        "",
        "## Not right",
        "",
        "| variant | fault | what is broken | suite | top finding | not right |",
        "|---|---|---|---|---|---|",
    ]
    for each in found:
        if not each.row.is_right:
            row = each.row
            cells = (each.variant, row.fault, row.title, row.suite, row.conclusion, row.problems)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def read() -> list[OnVariant]:
    """What earlier runs found."""
    path = results(FILE)
    data = json.loads(path.read_text()) if path.exists() else []
    return [OnVariant(each["variant"], Row(**each["row"])) for each in data]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m proof.faults_on_variants", description=__doc__)
    parser.add_argument("--variants", required=True, metavar="IDS", help="comma-separated")
    parser.add_argument(
        "--only", default="", metavar="IDS", help="comma-separated faults, or families such as F; default: F and G"
    )
    parser.add_argument("--jobs", type=int, default=2, help="twins at the same time")
    options = parser.parse_args(arguments)
    wanted = tuple(options.only.split(",")) if options.only else ("F", "G")
    chosen = [fault for fault in known_faults() if fault.id.startswith(wanted)]
    found = run_all(chosen, options.variants.split(","), options.jobs)
    new = {(each.variant, each.row.fault, each.row.suite) for each in found}
    kept = [each for each in read() if (each.variant, each.row.fault, each.row.suite) not in new]
    everything = sorted([*found, *kept], key=lambda each: (each.variant, each.row.fault, each.row.suite))
    results(FILE).write_text(json.dumps([asdict(each) for each in everything], indent=1) + "\n")
    total = sum(fault.id[0] in {each.row.fault[0] for each in everything} for fault in known_faults())
    PAGE.write_text(markdown(everything, total))
    wrong = sum(not each.row.is_right for each in found)
    print(f"{len(found) - wrong} right, {wrong} not")
    return ExitCode.FAIL if wrong else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
