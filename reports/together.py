"""Two engineers at once: full post-deploy runs beside each other on one twin must not disturb one another.

`python -m reports.together --times 10 [--page]` starts both at the same moment, so many times in a row; exit code 1 when any of
them was not green.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fixtures.embedded import EmbeddedTwin
from reports.sections import SAFETY, put

AT_ONCE = 2
RUN_SECONDS = 300


@dataclass
class Outcome:
    """One of the runs; `why` is its top finding or its last line, where it was not green."""

    exit_code: int
    seconds: float
    why: str = ""


def one_run(env_file: Path, out: Path) -> Outcome:
    """The whole post-deploy suite."""
    command = [sys.executable, "-m", "pytest", "-m", "postdeploy", "--target", "live", "--strict"]
    started = time.monotonic()
    done = subprocess.run(
        [*command, f"--env-file={env_file}", f"--out={out}", "--no-summary"],
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    outcome = Outcome(done.returncode, time.monotonic() - started)
    if done.returncode:
        file = out / "verdict.json"
        findings = json.loads(file.read_text())["findings"] if file.exists() else []
        outcome.why = f"{findings[0]['summary']}: {findings[0]['evidence']}" if findings else done.stdout[-300:]
    return outcome


def main() -> int:
    """Run, tell, and write the page when asked."""
    parser = argparse.ArgumentParser(prog="python -m reports.together", description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--page", action="store_true", help=f"write the section into {SAFETY.name}")
    options = parser.parse_args()
    found: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="together-") as name:
        twin = EmbeddedTwin(Path(name) / "twin")
        twin.start()
        try:
            for number in range(options.times):
                with ThreadPoolExecutor(AT_ONCE) as pool:
                    outs = [Path(name) / f"{number}-{side}" for side in range(AT_ONCE)]
                    pair = list(pool.map(lambda out: one_run(twin.env_file, out), outs))
                found += pair
                told = ", ".join(f"exit {o.exit_code} after {o.seconds:.0f} s {o.why}".rstrip() for o in pair)
                print(f"[{number + 1}/{options.times}] {told}", flush=True)
        finally:
            twin.stop()
    green = sum(outcome.exit_code == 0 for outcome in found)
    if options.page:
        put(
            SAFETY,
            "Two runs at once",
            [
                f"`python -m reports.together --times {options.times} --page`: two full post-deploy runs beside each other",
                f"on one twin, {options.times} times in a row: **{green} of {len(found)}** green, the slowest after"
                f" {max(outcome.seconds for outcome in found):.0f} s.",
            ],
        )
    return 0 if green == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
