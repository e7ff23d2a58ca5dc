"""Two engineers at once: full post-deploy runs beside each other on one twin must not disturb one another.

`python -m proof.concurrency --times 10 [--page]` starts both at the same moment, so many times in a row; exit code 1 when any of
them was not green.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gate.embedded import EmbeddedTwin
from proof.gate_run import Concluded, run_gate
from proof.pages import SAFETY, put

AT_ONCE = 2
RUN_SECONDS = 300


def one_run(env_file: Path, out: Path) -> Concluded:
    """The whole post-deploy suite."""
    return run_gate("postdeploy", out, ["--target", "live", "--strict", f"--env-file={env_file}"], RUN_SECONDS)


def told(done: Concluded) -> str:
    """One run in words; why it was not green is its top finding, or the end of what it said."""
    ended = f"exit {done.exit_code} after {done.seconds:.0f} s"
    if done.exit_code == 0:
        return ended
    return f"{ended} {'{summary}: {evidence}'.format(**done.findings[0]) if done.findings else done.tail}"


def main() -> int:
    """Run, tell, and write the page when asked."""
    parser = argparse.ArgumentParser(prog="python -m proof.concurrency", description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--page", action="store_true", help=f"write the section into {SAFETY.name}")
    options = parser.parse_args()
    found: list[Concluded] = []
    with tempfile.TemporaryDirectory(prefix="together-") as name:
        twin = EmbeddedTwin(Path(name) / "twin")
        twin.start()
        try:
            for number in range(options.times):
                with ThreadPoolExecutor(AT_ONCE) as pool:
                    outs = [Path(name) / f"{number}-{side}" for side in range(AT_ONCE)]
                    pair = list(pool.map(lambda out: one_run(twin.env_file, out), outs))
                found += pair
                print(f"[{number + 1}/{options.times}] {', '.join(map(told, pair))}", flush=True)
        finally:
            twin.stop()
    green = sum(outcome.exit_code == 0 for outcome in found)
    if options.page:
        put(
            SAFETY,
            "Two runs at once",
            [
                f"`python -m proof.concurrency --times {options.times} --page`: two full post-deploy runs beside each other",
                f"on one twin, {options.times} times in a row: **{green} of {len(found)}** green, the slowest after"
                f" {max(outcome.seconds for outcome in found):.0f} s.",
            ],
        )
    return 0 if green == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
