"""No false alarm: repeated runs of the gate on a healthy twin that is slow to reach, while all cores are busy.

`python -m proof.soak --runs 50` writes reports/out/soak.json; exit code 1 when any run was not green.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gate.exit_codes import ExitCode
from proof.figures import Share
from proof.gate_run import CheckSeen, run_gate
from proof.pages import results
from proof.targets import Target, running

RUN_SECONDS = 300
LATENCY_SECONDS = 0.2
FILE = "soak.json"
BUSY = "while True: pass"


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy; the processes end with the block."""
    burners = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


@dataclass
class Soaked:
    """One gate: how it ended, how long it took (seconds), and the checks that were not as they should be."""

    exit_code: int
    seconds: float
    bad: list[CheckSeen] = field(default_factory=list)
    tail: str = ""

    @property
    def is_green(self) -> bool:
        """Whether the gate passed."""
        return self.exit_code == ExitCode.PASS

    def __str__(self) -> str:
        names = ", ".join(check.id.rpartition("::")[2] for check in self.bad) or ("green" if self.is_green else self.tail)
        return f"exit {self.exit_code} in {self.seconds} s  {names}"


def one_run(target: Target) -> Soaked:
    """One gate on a twin."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        files = [f"--env-file={target.env_file}", f"--worker-env-file={target.worker_file}"]
        arguments = ["--target=live", "--strict", "-n", "4", *files]
        done = run_gate("predeploy or postdeploy", Path(folder) / "out", arguments, RUN_SECONDS)
    soaked = Soaked(done.exit_code, round(done.seconds, 1))
    if not soaked.is_green:
        soaked.tail = done.tail
        soaked.bad = [check for check in done.verdict.checks if check.status in ("failed", "blocked")]
    return soaked


def run_all(runs: int) -> list[Soaked]:
    """So many gates, one after another; progress goes to the terminal."""
    latency = ["--behaviour", 'proxy.kind="latency"', "--behaviour", f"proxy.seconds={LATENCY_SECONDS}"]
    found = []
    with running(latency) as target, busy_cores():
        for number in range(1, runs + 1):
            found.append(one_run(target))
            print(f"[{number}/{runs}] {found[-1]}", flush=True)
    return found


def main() -> int:
    """Run the soak; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m proof.soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    found = run_all(options.runs)
    red = Share(sum(not soaked.is_green for soaked in found), len(found))
    bad = Counter(check.id for soaked in found for check in soaked.bad)
    data = {"runs": [asdict(soaked) for soaked in found], "bad": bad, "false_alarms_below": red.upper}
    results(FILE).write_text(json.dumps(data, indent=1) + "\n")
    median = statistics.median(soaked.seconds for soaked in found)
    print(f"median {median:.0f} s a run; false alarms: {red.below} at 95 % confidence")
    print(f"{red.of - red.count} passed, {red.count} failed")
    return ExitCode.FAIL if red.count else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
