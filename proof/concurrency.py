"""Two engineers at once: full post-deploy runs beside each other on one twin must not disturb one another.

`python -m proof.concurrency --times 10 [--page]` starts both at the same moment, so many times in a row; exit code 1 when any
of them was not green.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gate.exit_codes import ExitCode
from proof.figures import Share
from proof.gate_run import Concluded, run_gate
from proof.pages import SAFETY, put
from proof.targets import running

AT_ONCE = 2
RUN_SECONDS = 300


def one_run(env_file: Path, out: Path) -> Concluded:
    """The whole post-deploy suite."""
    return run_gate("postdeploy", out, ["--target", "live", "--strict", f"--env-file={env_file}"], RUN_SECONDS)


def format_run(done: Concluded) -> str:
    """One run as a message; why it was not green is its top finding, or the end of what it printed."""
    ended = f"exit {done.exit_code} after {done.seconds:.0f} s"
    if done.exit_code == ExitCode.PASS:
        return ended
    return f"{ended} {done.top.title}: {done.top.evidence}" if done.top else f"{ended} {done.tail}"


def run_pairs(times: int) -> list[Concluded]:
    """So many pairs, one after another; progress goes to the terminal."""
    found: list[Concluded] = []
    with running() as target, ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(times):
            outs = [target.folder / f"{number}-{side}" for side in range(AT_ONCE)]
            pair = list(pool.map(lambda out: one_run(target.env_file, out), outs))
            found += pair
            print(f"[{number + 1}/{times}] {', '.join(map(format_run, pair))}", flush=True)
    return found


def lines(found: Sequence[Concluded], times: int) -> list[str]:
    """The section of the page."""
    green = Share(sum(done.exit_code == ExitCode.PASS for done in found), len(found))
    return [
        f"`python -m proof.concurrency --times {times} --page`: two full post-deploy runs beside each other",
        f"on one twin, {times} times in a row: **{green.above}** green at 95 % confidence, the slowest after"
        f" {max(done.seconds for done in found):.0f} s.",
    ]


def main() -> int:
    """Run, print, and write the page when asked."""
    parser = argparse.ArgumentParser(prog="python -m proof.concurrency", description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--page", action="store_true", help=f"write the section into {SAFETY.name}")
    options = parser.parse_args()
    found = run_pairs(options.times)
    if options.page:
        put(SAFETY, "Two runs at once", lines(found, options.times))
    return ExitCode.PASS if all(done.exit_code == ExitCode.PASS for done in found) else ExitCode.FAIL


if __name__ == "__main__":
    sys.exit(main())
