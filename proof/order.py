"""The gate disturbs nothing: each test alone, in any order, in several processes, twice at once, in company ends the same.

`python -m proof.order [--parts alone,orders,processes,twice,company,polls] [--orders 20] [--page]` judges twins of its own.
Exit code 1 when a check ended otherwise than in the ordinary run, or when more processes were slower than one.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gate.exit_codes import ExitCode
from proof.colleague import works_meanwhile
from proof.figures import Share
from proof.gate_run import Concluded, run_gate
from proof.pages import SAFETY, put
from proof.targets import Target, running

SUITES = "predeploy or postdeploy"
RUN_SECONDS = 900
PROCESSES = (0, 1, 2, 4)
REPEATS = 3
MOST_SEEDS = 10**6
# More processes may cost this much more than one process, as a ratio: what two runs of the same kind differ by.
NOISE = 1.1
SLOW_POLLS = ("--speedup", "1")


@dataclass
class Compared:
    """How many checks were compared with the ordinary run, and those that ended otherwise, with how."""

    count: int = 0
    runs: int = 0
    different: list[str] = field(default_factory=list)

    def add(self, ordinary: dict[str, str], done: Concluded) -> None:
        """Compare one run with the ordinary one."""
        self.runs += 1
        seen = statuses(done)
        self.count += len(seen)
        self.different += [f"{id}: {status}, not {ordinary[id]}" for id, status in seen.items() if status != ordinary[id]]

    @property
    def shown(self) -> str:
        """The figure as a message."""
        names = f": {'; '.join(self.different[:5])}" if self.different else ""
        return f"{Share(len(self.different), self.count).below} ended otherwise, in {self.runs} runs{names}"


def statuses(done: Concluded) -> dict[str, str]:
    """How each check of a run ended; where no check was judged, the run itself."""
    return {check.id: check.status for check in done.verdict.checks}


class Runs:
    """Runs of the gate on one twin, each with its results in a folder of its own."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def run(self, what: str = SUITES, *arguments: str) -> Concluded:
        """One run of the suites, or of one check."""
        with tempfile.TemporaryDirectory(prefix="order-") as folder:
            files = [f"--env-file={self._target.env_file}", f"--worker-env-file={self._target.worker_file}"]
            return run_gate(what, Path(folder) / "out", ["--target=live", *files, *arguments], RUN_SECONDS)


Part = Callable[[Runs, dict[str, str], argparse.Namespace], tuple[list[str], bool]]


def alone(runs: Runs, ordinary: dict[str, str], _: argparse.Namespace) -> tuple[list[str], bool]:
    """Each test function in a run of its own, with all of its entries, two at a time."""
    found = Compared()
    functions = list(dict.fromkeys(id.partition("[")[0] for id in ordinary))
    with ThreadPoolExecutor(2) as pool:
        for number, done in enumerate(pool.map(runs.run, functions), 1):
            found.add(ordinary, done)
            if number % 25 == 0:
                print(f"alone [{number}/{len(functions)}] {found.shown}", flush=True)
    shown = f"| each of the {len(functions)} test functions alone | {found.shown} |"
    return [shown], not found.different and found.count == len(ordinary)


def orders(runs: Runs, ordinary: dict[str, str], options: argparse.Namespace) -> tuple[list[str], bool]:
    """The whole run in random orders."""
    found = Compared()
    seeds = [secrets.randbelow(MOST_SEEDS) if options.random else number for number in range(1, options.orders + 1)]
    for seed in seeds:
        found.add(ordinary, runs.run(SUITES, f"--shuffle={seed}"))
        print(f"order {seed}: {found.shown}", flush=True)
    return [f"| {options.orders} random orders (`--shuffle`) | {found.shown} |"], not found.different


def _timed(runs: Runs, ordinary: dict[str, str], repeats: int) -> tuple[Compared, dict[int, float]]:
    """Runs with each number of processes, in turn, and the median seconds of each."""
    found = Compared()
    seconds: dict[int, list[float]] = {number: [] for number in PROCESSES}
    for _ in range(repeats):
        for number in PROCESSES:
            done = runs.run(SUITES, *([f"-n{number}"] if number else []))
            found.add(ordinary, done)
            seconds[number].append(done.seconds)
            print(f"-n {number}: {done.seconds:.0f} s, {found.shown}", flush=True)
    return found, {number: statistics.median(took) for number, took in seconds.items()}


def _ratios(medians: dict[int, float]) -> tuple[str, bool]:
    one = medians[0]
    shown = ", ".join(f"-n {number}: ×{took / one:.2f}" for number, took in medians.items() if number)
    return f"one process {one:.0f} s; {shown}", all(took <= one * NOISE for took in medians.values())


def processes(runs: Runs, ordinary: dict[str, str], _: argparse.Namespace) -> tuple[list[str], bool]:
    """One process, and xdist with 1, 2 and 4."""
    found, medians = _timed(runs, ordinary, REPEATS)
    shown, is_fast = _ratios(medians)
    return [f"| 1, 2 and 4 processes ({shown}) | {found.shown} |"], is_fast and not found.different


def polls(_: Runs, ordinary: dict[str, str], options: argparse.Namespace) -> tuple[list[str], bool]:
    """The same on a target whose worker polls every 30 s."""
    with running(SLOW_POLLS) as target:
        found, medians = _timed(Runs(target), ordinary, 1)
    shown, is_fast = _ratios(medians)
    return [f"| the same where the worker polls every 30 s ({shown}) | {found.shown} |"], is_fast and not found.different


def twice(runs: Runs, ordinary: dict[str, str], options: argparse.Namespace) -> tuple[list[str], bool]:
    """Two whole runs at once."""
    found = Compared()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(options.repeats):
            for done in pool.map(lambda _: runs.run(SUITES), range(2)):
                found.add(ordinary, done)
            print(f"twice at once: {found.shown}", flush=True)
    return [f"| two whole runs at once, {options.repeats} times | {found.shown} |"], not found.different


def company(_: Runs, ordinary: dict[str, str], options: argparse.Namespace) -> tuple[list[str], bool]:
    """The whole run while somebody else registers, uploads, asks and removes."""
    found = Compared()
    with _busy() as (runs, done_by_others):
        for _number in range(options.repeats):
            found.add(ordinary, runs.run(SUITES))
            print(f"in company: {found.shown}", flush=True)
    shown = f"{done_by_others()} documents of others meanwhile"
    return [f"| while others use the target ({shown}) | {found.shown} |"], not found.different


@contextmanager
def _busy() -> Iterator[tuple[Runs, Callable[[], int]]]:
    stop = threading.Event()
    with running() as target, works_meanwhile(target, stop) as count:
        yield Runs(target), count


PARTS: dict[str, Part] = {
    "orders": orders,
    "processes": processes,
    "twice": twice,
    "company": company,
    "polls": polls,
    "alone": alone,
}


def main() -> int:
    """Run the parts, print, and write the page when asked."""
    parser = argparse.ArgumentParser(prog="python -m proof.order", description=__doc__)
    parser.add_argument("--parts", default=",".join(PARTS), help=f"comma-separated, of {', '.join(PARTS)}")
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--random", action="store_true", help="orders of other seeds each time; the lines show them")
    parser.add_argument("--variant", action="append", default=[], metavar="ID", help="of the twin; may be repeated")
    parser.add_argument("--repeats", type=int, default=3, help="of runs at once and in company")
    parser.add_argument("--page", action="store_true", help=f"write the section into {SAFETY.name}")
    options = parser.parse_args()
    rows, is_right = [], True
    with running([f"--variant={id}" for id in options.variant]) as target:
        runs = Runs(target)
        ordinary = statuses(runs.run(SUITES))
        print(f"the ordinary run: {len(ordinary)} checks", flush=True)
        for name in options.parts.split(","):
            shown, part_is_right = PARTS[name](runs, ordinary, options)
            print("\n".join(shown), flush=True)
            rows += shown
            is_right = is_right and part_is_right
    if options.page:
        put(SAFETY, "Order, processes and company", _section(rows, len(ordinary), options))
    return ExitCode.PASS if is_right else ExitCode.FAIL


def _section(rows: Sequence[str], checks: int, options: argparse.Namespace) -> list[str]:
    return [
        f"`python -m proof.order --orders {options.orders} --page`: {checks} checks before and after a deployment,",
        "on one twin; how each ended is compared with the ordinary run. Times are medians, as ratios to one process.",
        "",
        "| run | checks that ended otherwise |",
        "|---|---|",
        *rows,
    ]


if __name__ == "__main__":
    sys.exit(main())
