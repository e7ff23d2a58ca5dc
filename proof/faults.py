"""The fault matrix: every fault against the suites that must catch it, in parallel twins.

`python -m proof.faults [--only F04,F20] [--jobs 2]` writes docs/fault-matrix.md and reports/out/fault-matrix.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from proof.gate_run import run_gate

SUITES = ("predeploy", "postdeploy", "performance", "contract")
RUN_SECONDS = 600
USAGE_ERROR = 4
HEALTHY = "healthy"
# The guard stops this one before anything is written.
REFUSED = ("F35",)
# A regression inside the target shows against an earlier release only.
COMPARED = ("F31",)
JSON_FILE = Path("reports/out/fault-matrix.json")
MARKDOWN_FILE = Path("docs/fault-matrix.md")


@dataclass
class Known:
    """A fault as the twin lists it."""

    id: str
    component: str
    suites: list[str]
    title: str


@dataclass
class Row:
    """One fault in one suite. `seconds` is the time to the verdict."""

    fault: str
    suite: str
    title: str
    component: str
    exit_code: int
    seconds: float
    found: str = ""
    mode: str | None = None
    summary: str = ""
    evidence: str = ""
    findings: int = 0
    red: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)

    @property
    def is_red(self) -> bool:
        """Whether the gate did not stay green."""
        return self.exit_code != 0

    @property
    def is_right(self) -> bool:
        """Whether the gate did what it should: red and named with a fault, green without."""
        return not self.is_red if self.fault == HEALTHY else self.is_red and self.is_named

    @property
    def is_named(self) -> bool:
        """Whether the top finding names the right part; a run that was refused before its start names the variable."""
        refused = self.exit_code == USAGE_ERROR and self.fault in REFUSED
        return refused or self.found in self.component.split("/")


def known_faults() -> list[Known]:
    """All faults, asked from the twin as a stranger."""
    done = subprocess.run([sys.executable, "-m", "twin", "faults"], capture_output=True, text=True, check=True)
    found = []
    for line in done.stdout.splitlines():
        name, component, suites, title = line.split(maxsplit=3)
        found.append(Known(name, component, suites.split(","), title))
    return found


def judge(fault: Known | None, suite: str) -> Row:
    """Run one suite on a twin with this fault (None: a healthy one)."""
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        arguments = ["--target", "twin", *(["--fault", fault.id] if fault else [])]
        if fault and fault.id in COMPARED:
            arguments += [f"--baseline={_healthy_runs(Path(folder))}"]
        done = run_gate(suite, Path(folder), arguments, RUN_SECONDS)
    row = Row(
        fault.id if fault else HEALTHY, suite, fault.title if fault else "", fault.component if fault else "",
        done.exit_code, round(done.seconds, 1),
    )  # fmt: skip
    row.checks = [check["id"] for check in done.checks if check["status"] != "skipped"]
    row.red, row.findings = done.named("failed"), len(done.findings)
    if done.findings:
        top = done.findings[0]
        row.found, row.mode, row.summary = top["component"], top["failure_mode"], top["summary"]
        row.evidence = top["evidence"]
    return row


def _healthy_runs(folder: Path) -> Path:
    """Stored load runs of a healthy twin, as the last release's."""
    history = folder / "loads.jsonl"
    command = [sys.executable, "-m", "load", "--profile", "compare", "--target", "twin", "--history", str(history)]
    subprocess.run([*command, "--out", folder], capture_output=True, timeout=RUN_SECONDS)
    return history


def run_all(faults: Iterable[Known], jobs: int, with_healthy: bool = True) -> list[Row]:
    """Every fault in its suites, and the healthy twin in all; progress goes to the terminal."""
    work: list[tuple[Known | None, str]] = [(None, suite) for suite in SUITES if with_healthy]
    work += [(fault, suite) for fault in faults for suite in fault.suites]
    rows: list[Row] = []
    with ThreadPoolExecutor(jobs) as pool:
        for number, row in enumerate(pool.map(lambda pair: judge(*pair), work), 1):
            state = "ok  " if row.is_right else "MISS"
            told = f"{row.found}: {row.summary}" if row.findings else ("refused" if row.exit_code == USAGE_ERROR else "green")
            told += "" if row.is_right else f" ({row.evidence})"
            print(f"[{number}/{len(work)}] {state} {row.fault:<8} {row.suite:<12} {row.seconds:5.1f} s  {told}", flush=True)
            rows.append(row)
    return rows


def unproven(rows: list[Row]) -> list[str]:
    """Checks that a healthy twin passes and that no fault turned red."""
    known = {name for row in rows if row.fault == HEALTHY for name in row.checks}
    return sorted(known - {name for row in rows if row.fault != HEALTHY for name in row.red})


def markdown(rows: list[Row], faults: list[Known]) -> str:
    """The matrix as a page."""
    judged = [row for row in rows if row.fault != HEALTHY]
    ids = {row.fault for row in judged}
    table = sorted(name for name in ids if name.startswith("F"))
    red = {name for name in ids if all(row.is_red for row in judged if row.fault == name)}
    named = {name for name in ids if all(row.is_named for row in judged if row.fault == name)}
    checks = {name for row in rows if row.fault == HEALTHY for name in row.checks}
    open_ = unproven(rows)
    lines = [
        "# Fault matrix",
        "",
        "Produced by `make faults`. Faults F… are the table of `spec/failure-modes.md`, faults G… are the project's own.",
        "F31 is compared with load runs of a healthy twin (`--baseline`).",
        "",
        f"- red in every suite that the table names: **{len(red & set(table))} of {len(table)}** F faults,"
        f" {len(red - set(table))} of {len(ids - set(table))} G faults",
        f"- the top finding names the right component: **{len(named & set(table))} of {len(table)}** F faults,"
        f" {len(named - set(table))} of {len(ids - set(table))} G faults",
        f"- a healthy twin is green: {'yes' if not any(r.is_red for r in rows if r.fault == 'healthy') else '**no**'}",
        f"- checks that a named fault turned red: {len(checks) - len(open_)} of {len(checks)}"
        f" (the rest: [mutations](mutations.md) and below)",
        "",
        "| fault | what is broken | suite | red checks | top finding | findings | time to verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in judged:
        told = f"{row.found}{f' [{row.mode}]' if row.mode else ''}: {row.summary}" if row.findings else _without_finding(row)
        number = len(row.red) or ("all blocked" if row.exit_code == 6 else "–")
        lines.append(f"| {row.fault} | {row.title} | {row.suite} | {number} | {told} | {row.findings} | {row.seconds:.0f} s |")
    return "\n".join(lines) + "\n"


def _without_finding(row: Row) -> str:
    return "refused before the start, exit code 4" if row.exit_code == USAGE_ERROR else "**green: not caught**"


def main() -> int:
    """Run the matrix; exit code 1 when a fault is missed, misnamed, or the healthy twin is not green."""
    parser = argparse.ArgumentParser(prog="python -m proof.faults", description=__doc__)
    parser.add_argument("--only", default="", metavar="IDS", help=f"comma-separated faults; {HEALTHY}: none")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="twins at the same time")
    options = parser.parse_args()
    faults = known_faults()
    wanted = {name.strip().upper() for name in options.only.split(",") if name.strip()}
    if unknown := wanted - {fault.id for fault in faults} - {HEALTHY.upper()}:
        print(f"faults: unknown {', '.join(sorted(unknown))}; `python -m twin faults` lists them", file=sys.stderr)
        return USAGE_ERROR
    chosen = [fault for fault in faults if not wanted or fault.id in wanted]
    earlier = [Row(**row) for row in json.loads(JSON_FILE.read_text())["rows"]] if wanted and JSON_FILE.exists() else []
    with_healthy = HEALTHY.upper() in wanted or not any(row.fault == HEALTHY for row in earlier)
    rows = run_all(chosen, options.jobs, with_healthy)
    if earlier:
        # A part run again takes the place of its earlier rows.
        new = {(row.fault, row.suite) for row in rows}
        at = {fault.id: number for number, fault in enumerate(faults)}
        kept = [row for row in earlier if (row.fault, row.suite) not in new]
        rows = sorted([*kept, *rows], key=lambda row: (at.get(row.fault, -1), SUITES.index(row.suite)))
    JSON_FILE.parent.mkdir(parents=True, exist_ok=True)
    data = {"rows": [asdict(row) for row in rows], "unproven": unproven(rows)}
    JSON_FILE.write_text(json.dumps(data, indent=1) + "\n")
    if {row.fault for row in rows} >= {fault.id for fault in faults}:
        MARKDOWN_FILE.write_text(markdown(rows, faults))
    missed = [row for row in rows if not row.is_right]
    print(f"{len(rows) - len(missed)} passed, {len(missed)} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
