"""No residue: runs that are killed at random moments, then one sweep; nothing tagged may be left, nothing else touched.

`python -m proof.crashes --runs 100` starts a twin, puts a colleague's documents into it, kills that many post-deploy runs with
SIGKILL, sweeps once, and compares. Two runs are under way at the same time; every other run is spread over two processes, and
of every second run the journal is lost as well, as on a machine that was lost, so that only the tag is left to go by.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from gate.exit_codes import ExitCode
from gate.places import ROOT
from gate.run import dead_runs
from proof.colleague import SharedTarget, count_tagged, shared_target
from proof.figures import Share
from proof.gate_run import command
from proof.pages import SAFETY, put

LONGEST_SECONDS = 11.0
AT_ONCE = 2
GIVE_UP_SECONDS = 60.0


class Victim:
    """A post-deploy run in a process group of its own; every other one is spread over two processes."""

    def __init__(self, number: int, shared: SharedTarget) -> None:
        self._number = number
        target = shared.target
        arguments = ["--target", "live", f"--env-file={target.env_file}", "-n", "2" if number % 2 else "0"]
        self._process = subprocess.Popen(
            command("postdeploy", target.folder / str(number), arguments),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _ended_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def kill_after(self, seconds: float) -> bool:
        """Kill everything of it after so many seconds; False when it had ended before."""
        if self._ended_within(seconds):
            return False
        self._kill()
        if self._number % 4 >= 2:
            self._lose_journal()
        return True

    def interrupt_after(self, seconds: float) -> float:
        """Press Ctrl-C after so many seconds, as a terminal does; returns how long it took to end (seconds)."""
        if self._ended_within(seconds):
            return 0.0
        started = time.monotonic()
        os.killpg(self._process.pid, signal.SIGINT)
        if not self._ended_within(GIVE_UP_SECONDS):
            self._kill()
        return time.monotonic() - started

    def _lose_journal(self) -> None:
        for dead in dead_runs():
            if dead.pid == self._process.pid:
                shutil.rmtree(dead.folder, ignore_errors=True)


def _is_untouched(shared: SharedTarget) -> tuple[bool, str]:
    """Whether what is the colleague's is as it was, and a message about it."""
    if touched := shared.differences():
        return False, f"DIFFERENT: {touched}"
    return True, f"checksums of {len(shared.before)} tables, users and files are as before the first run"


def kill_many(shared: SharedTarget, moments: Sequence[float]) -> tuple[bool, list[str]]:
    """Kill runs at these moments, sweep once, compare: whether all is well, and the figures."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        fates = list(pool.map(lambda n: Victim(n, shared).kill_after(moments[n]), range(len(moments))))
    found = count_tagged(shared.session)
    sweep = [sys.executable, "-m", "fixtures.sweep", "--older-than", "0s", "--env-file", str(shared.target.env_file)]
    done = subprocess.run(sweep, cwd=ROOT, capture_output=True, text=True)
    left = count_tagged(shared.session)
    same, message = _is_untouched(shared)
    bound = "" if left else f", left by {Share(0, sum(fates)).below} killed runs at 95 % confidence"
    return not left and not done.returncode and same, [
        f"{sum(fates)} of {len(fates)} runs were killed while they ran; {found} tagged users and documents were left by them.",
        f"The sweep: {(done.stdout.strip() or done.stderr.strip()).removeprefix('sweep: ')}.",
        f"After it: **{left}** tagged{bound}; {message}.",
    ]


def interrupt_many(shared: SharedTarget, moments: Sequence[float]) -> tuple[bool, list[str]]:
    """Press Ctrl-C at these moments; no sweep: each run cleans up itself."""
    seconds = [Victim(number, shared).interrupt_after(moment) for number, moment in enumerate(moments)]
    left, limit = count_tagged(shared.session), shared.session.spec.safety.interrupt_seconds
    late = Share(sum(took > limit for took in seconds), len(seconds))
    same, message = _is_untouched(shared)
    return not late.count and not left and same, [
        f"Ctrl-C in {len(seconds)} runs: the slowest had ended after {max(seconds):.1f} s (at most {limit:g} s), later",
        f"{late.below} at 95 % confidence. **{left}** tagged users and documents were left without any sweep; {message}.",
    ]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m proof.crashes", description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="runs to kill (default 100)")
    parser.add_argument("--interrupts", type=int, default=12, help="runs to end with Ctrl-C (default 12)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page", action="store_true", help=f"write the sections into {SAFETY.name}")
    return parser.parse_args(arguments)


def main() -> int:
    """Kill, sweep, compare, and interrupt; exit code 1 when anything is left or touched, or a run did not end."""
    options = parse()
    chance = random.Random(options.seed)
    is_well = True
    for heading, count, work in (
        ("Killed runs", options.runs, kill_many),
        ("Interrupted runs", options.interrupts, interrupt_many),
    ):
        if not count:
            continue
        with shared_target() as shared:
            is_good, lines = work(shared, [chance.uniform(0.5, LONGEST_SECONDS) for _ in range(count)])
        is_well = is_well and is_good
        print("\n".join(lines), flush=True)
        if options.page:
            called = f"`python -m proof.crashes --runs {options.runs} --interrupts {options.interrupts} --page`:"
            put(SAFETY, heading, [called, "", *lines])
    return ExitCode.PASS if is_well else ExitCode.FAIL


if __name__ == "__main__":
    sys.exit(main())
