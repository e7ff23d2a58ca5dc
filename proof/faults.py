"""The fault matrix: every fault against the suites that must catch it, in parallel twins.

`python -m proof.faults [--only F04,F20] [--suites predeploy] [--jobs 2] [--system clinic]` writes docs/fault-matrix.md and
reports/out/fault-matrix.json, of another system beside them. What was run with --only takes the place of its earlier rows.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from gate.exit_codes import ExitCode
from gate.settings import ConfigurationError
from proof import matrix_page
from proof.figures import Share
from proof.matrix import HEALTHY, SUITES, USUAL_SECONDS, Known, Row, judge, known_faults, read_rows, write_rows
from proof.targets import NAVIGATOR, spec_of

Work = tuple[Known | None, str]


def plan(faults: Sequence[Known], healthy: Sequence[str], earlier: Sequence[Row]) -> list[Work]:
    """Every fault in its suites and the healthy twin in `healthy` ones, the longest first by an earlier matrix's times."""
    took = {(row.fault, row.suite): row.seconds for row in earlier}

    def seconds(work: Work) -> float:
        fault, suite = work
        return took.get((fault.id if fault else HEALTHY, suite), USUAL_SECONDS[suite])

    work: list[Work] = [(None, suite) for suite in healthy]
    work += [(fault, suite) for fault in faults for suite in fault.suites]
    return sorted(work, key=seconds, reverse=True)


def run_all(work: Sequence[Work], jobs: int, system: str, keep: Callable[[list[Row]], object]) -> list[Row]:
    """Judge all of it, so many at a time, and keep the rows after each; progress goes to the terminal."""
    rows: list[Row] = []
    with ThreadPoolExecutor(jobs) as pool:
        for future in as_completed([pool.submit(judge, fault, suite, system) for fault, suite in work]):
            rows.append(row := future.result())
            keep(rows)
            state = "ok  " if row.is_right else "MISS"
            shown = (
                "green" if not row.is_red else row.conclusion + ("" if row.is_right else f" ({row.problems}; {row.evidence})")
            )
            print(f"[{len(rows)}/{len(work)}] {state} {row.fault:<8} {row.suite:<12} {row.seconds:5.1f} s  {shown}", flush=True)
    return rows


def in_order(rows: Sequence[Row], faults: Sequence[Known]) -> list[Row]:
    """The healthy twin first, then as the twin lists its faults."""
    at = {fault.id: number for number, fault in enumerate(faults)}
    return sorted(rows, key=lambda row: (at.get(row.fault, -1), SUITES.index(row.suite)))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m proof.faults", description=__doc__)
    parser.add_argument("--only", default="", metavar="IDS", help=f"comma-separated faults; {HEALTHY}: none")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="twins at the same time")
    parser.add_argument("--suites", default=",".join(SUITES), help="only these suites (default: all)")
    parser.add_argument("--system", default=NAVIGATOR, help=f"whose faults (default {NAVIGATOR})")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix; exit code 1 when a fault is missed, misnamed, or the healthy twin is not green."""
    options = parse(arguments)
    try:
        spec_of(options.system)
    except ConfigurationError as error:
        print(f"faults: {error}", file=sys.stderr)
        return ExitCode.USAGE
    faults = known_faults(options.system)
    wanted = {name.strip().upper() for name in options.only.split(",") if name.strip()}
    if unknown := wanted - {fault.id for fault in faults} - {HEALTHY.upper()}:
        print(f"faults: unknown {', '.join(sorted(unknown))}; `python -m twin faults` lists them", file=sys.stderr)
        return ExitCode.USAGE
    earlier = read_rows(options.system)
    names = {HEALTHY, *(fault.id for fault in faults)}
    kept = [row for row in earlier if row.fault in names]
    chosen = [fault for fault in faults if not wanted or fault.id in wanted]
    with_healthy = not wanted or HEALTHY.upper() in wanted or not any(row.fault == HEALTHY for row in kept)
    healthy = [suite for suite in SUITES if with_healthy and any(suite in fault.suites for fault in faults)]
    started = time.monotonic()
    suites = options.suites.split(",")
    work = [(fault, suite) for fault, suite in plan(chosen, healthy, earlier) if suite in suites]

    def keep(rows: list[Row]) -> list[Row]:
        new = {(row.fault, row.suite) for row in rows}
        everything = in_order([*rows, *(row for row in kept if (row.fault, row.suite) not in new)], faults)
        write_rows(everything, options.system)
        return everything

    rows = run_all(work, options.jobs, options.system, keep)
    missed = [row for row in rows if not row.is_right]
    everything = keep(rows)
    if {row.fault for row in everything} >= {fault.id for fault in faults}:
        matrix_page.write(everything, options.system)
    good = len(rows) - len(missed)
    print(f"{good} passed, {len(missed)} failed: {Share(good, len(rows)).above} in {time.monotonic() - started:.0f} s")
    return ExitCode.FAIL if missed else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
