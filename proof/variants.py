"""Systems that are different and right stay green: every variant of the twin in every suite.

`python -m proof.variants [--only V02,V90,V10+V16] [--suites predeploy,postdeploy] [--jobs 2]` writes docs/variants.md and
reports/out/variants.json. Variants with a plus between them are judged on one twin. What was run with --only takes the place of
its earlier rows. Exit code 1 when one is not green.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from gate.exit_codes import ExitCode
from gate.places import ROOT
from proof.figures import Share
from proof.gate_run import Concluded, run_gate
from proof.pages import DOCS, results

SUITES = ("predeploy", "postdeploy", "contract", "performance")
RUN_SECONDS = 900
FILE = "variants.json"
PAGE = DOCS / "variants.md"
HEALTHY = "healthy"
UNTYPED = "check.error"
HEAD = """# Variants

Systems that are different and right: the gate must stay green on each. Produced by `make variants`; `python -m twin
variants` lists them, `python -m twin up --variant ID` and `pytest --variant ID` run one. A red one is a check that asks
more than the specification: the check is mended, not the variant.

Variants W… were written by somebody who had read the contract and the checks and aimed at them; in their first run, before
anything was mended for them, 14 of 50 were green and no check ended with an exception of its own. Of V10–V39 7 of 30 were
green at first, of the API on another framework (V90) 664 of 682 checks. X… and M… were written by people who had read no
check; in their first run 19 of 20 (X), 10 of 12 (M01–M12), 16 of 16 (M13–M28), 14 of 16 (M29–M44, both post-deploy),
15 of 16 (M45–M60), 15 of 16 (M61–M76), 14 of 16 (M77–M92; one of the two only red at a load of 26) and 15 of 16 (M93–M108;
M95 only red at a load of 11) were green; the whole worker written again on raw httpx, from the contract alone (V98), was
green at once. Of the 140 others, with the checks that had been added since their last run, 136 were. Rows are of the last
time that a variant was run. *Not judged*: checks that judge the ordinary twin and not this one.
"""


@dataclass(frozen=True)
class Row:
    """One variant: the suites it met, seconds, exit code, the checks that were red, and those that did not judge it.

    `beside` are the variants that the same twin was as well. `untyped` counts the checks that ended with an exception of their
    own instead of a failure.
    """

    id: str
    title: str
    suites: tuple[str, ...]
    seconds: float
    exit_code: int
    red: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()
    untyped: int = 0
    beside: tuple[str, ...] = ()

    @property
    def is_green(self) -> bool:
        """Whether the gate passed, and nothing in it broke."""
        return self.exit_code == ExitCode.PASS and not self.untyped

    def lacks(self, healthy: Row | None) -> list[str]:
        """The checks that judge the ordinary twin and did not judge this one."""
        return sorted(set(self.not_judged) - set(healthy.not_judged if healthy else ()))


def listed() -> dict[str, str]:
    """The titles of the twin's variants, by id."""
    done = subprocess.run([sys.executable, "-m", "twin", "variants"], cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(line.split(maxsplit=1) for line in done.stdout.splitlines())


def judge(ids: Sequence[str], titles: Mapping[str, str], suites: Sequence[str]) -> list[Row]:
    """One gate on a twin of these variants; a row for each of them."""
    chosen = [f"--variant={id}" for id in ids if id != HEALTHY]
    with tempfile.TemporaryDirectory(prefix="variant-") as folder:
        done = run_gate(" or ".join(suites), Path(folder) / "out", ["--target=twin", *chosen], RUN_SECONDS)
    return [row_of(id, titles[id], suites, done, tuple(other for other in ids if other != id)) for id in ids]


def row_of(id: str, title: str, suites: Sequence[str], done: Concluded, beside: tuple[str, ...] = ()) -> Row:
    """What a run concluded, as a row."""
    seen = done.verdict
    untyped = sum(UNTYPED in finding.codes for finding in seen.findings)
    red = seen.named("failed", "blocked") or ([] if done.exit_code == ExitCode.PASS else [done.tail[-200:]])
    not_judged = tuple(sorted(seen.named("not judged", "skipped")))
    return Row(id, title, tuple(suites), round(done.seconds, 1), done.exit_code, tuple(red), not_judged, untyped, beside)


def read_rows() -> list[Row]:
    """The rows of earlier runs."""
    path = results(FILE)
    if not path.exists():
        return []
    tuples = ("suites", "red", "not_judged", "beside")
    return [Row(**row | {name: tuple(row[name]) for name in tuples}) for row in json.loads(path.read_text())]


def markdown(rows: Sequence[Row]) -> str:
    """Counts, then a line for each variant."""
    healthy = next((row for row in rows if row.id == HEALTHY), None)
    variants = [row for row in rows if row.id != HEALTHY]
    green = Share(sum(row.is_green for row in variants), len(variants))
    lines = [HEAD, f"- green: **{green.above}** at 95 % confidence", ""]
    lines += [
        "| variant | what is different | suites | result | not judged | judged beside | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in variants:
        result = "green" if row.is_green else f"**red: {', '.join(name.rpartition('::')[2] for name in row.red[:3])}**"
        lacks = ", ".join(name.rpartition("::")[2] for name in row.lacks(healthy)) or "–"
        cells = (row.id, row.title, ", ".join(row.suites), result, lacks, ", ".join(row.beside) or "–", f"{row.seconds:.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def run_all(
    groups: Sequence[Sequence[str]],
    titles: Mapping[str, str],
    suites: Sequence[str],
    jobs: int,
    keep: Callable[[list[Row]], object],
) -> list[Row]:
    """Judge all of them, so many twins at a time, and keep the rows after each; progress goes to the terminal."""
    rows: list[Row] = []
    with ThreadPoolExecutor(jobs) as pool:
        for number, future in enumerate(as_completed([pool.submit(judge, ids, titles, suites) for ids in groups]), 1):
            rows += (found := future.result())
            keep(rows)
            row, names = found[0], "+".join(each.id for each in found)
            shown = "green" if row.is_green else f"RED exit {row.exit_code}, {row.untyped} untyped: {', '.join(row.red[:6])}"
            print(f"[{number}/{len(groups)}] {names:<8} {row.seconds:5.1f} s  {shown}", flush=True)
    return rows


def keep(rows: Sequence[Row], known: Sequence[str]) -> list[Row]:
    """Write these rows in place of their earlier ones, and return all in order."""
    new = {row.id for row in rows}
    kept = [row for row in read_rows() if row.id in known and row.id not in new]
    everything = sorted([*rows, *kept], key=lambda row: known.index(row.id))
    results(FILE).write_text(json.dumps([asdict(row) for row in everything], indent=1) + "\n")
    return everything


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the variants."""
    parser = argparse.ArgumentParser(prog="python -m proof.variants", description=__doc__)
    parser.add_argument(
        "--only", default="", metavar="IDS", help=f"comma-separated variants, + between those of one twin; {HEALTHY}: none"
    )
    parser.add_argument("--suites", default=",".join(SUITES), help="only these suites (default: all)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="twins at the same time")
    options = parser.parse_args(arguments)
    known = {HEALTHY: "the ordinary twin"} | listed()
    groups = [name.strip().split("+") for name in options.only.split(",") if name.strip()] or [[id] for id in known]
    if unknown := sorted({id for ids in groups for id in ids} - set(known)):
        print(f"variants: unknown {', '.join(unknown)}; `python -m twin variants` lists them", file=sys.stderr)
        return ExitCode.USAGE
    rows = run_all(groups, known, options.suites.split(","), options.jobs, lambda rows: keep(rows, list(known)))
    everything = keep(rows, list(known))
    if {row.id for row in everything} >= set(known):
        PAGE.write_text(markdown(everything))
    red = sum(not row.is_green for row in rows)
    print(f"{len(rows) - red} green, {red} red")
    return ExitCode.FAIL if red else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
