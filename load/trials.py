"""Fifty times "is B slower than A?": does the comparison see a fifth, and stay silent where there is nothing?

`python -m load.trials --trials 50` measures one twin whose requests can be made to take longer, in turns block by block, and
compares as `make load BASELINE=...` does. Half of the trials hold a true slow-down of 20 %, half hold none.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fixtures.users import Users
from gate.exit_codes import ExitCode
from gate.places import ROOT
from gate.session import Session
from gate.target import Choice
from load.compare import Comparer, Comparison
from load.histogram import Latencies
from load.record import BlockRecord, LoadRecord
from load.target import on_target
from load.trial_client import HEADER, Round, Task
from spec.model import Regression

SLOWER = 0.2
BLOCKS = 14
BLOCK_SECONDS = 0.3
RATE = 120.0
# Half of the interval (logarithm) at which a fifth can be told from nothing; a busy machine needs more rounds for it.
NARROW, MOST_ROUNDS = 0.075, 4
TASK = "profile"
HEADING = "## Comparison"
PAGE = ROOT / "docs" / "benchmarks.md"
FLAGGED_AT_LEAST, FALSE_AT_MOST = 0.96, 0.02
# The twin spends this much longer on a request (milliseconds) that asks for it; nothing else differs.
PATCH = (
    "api/application.py",
    '                spent = f"{time.perf_counter()',
    f'                more = float(dict(scope["headers"]).get(b"{HEADER}", b"0")) / 1000\n'
    "                until = time.perf_counter() + more\n"
    "                while time.perf_counter() < until:\n"
    "                    pass\n"
    '                spent = f"{time.perf_counter()',
)


def _record(blocks: list[list[float]]) -> LoadRecord:
    encoded = [Latencies.of(times).encode() for times in blocks]
    found = [BlockRecord(task=TASK, block=n, response=text, service=text) for n, text in enumerate(encoded)]
    return LoadRecord(
        run_id="trial",
        release="trial",
        target="twin",
        kind="twin",
        profile="trial",
        started_at="",
        seconds=BLOCKS * BLOCK_SECONDS,
        block_seconds=BLOCK_SECONDS,
        blocks=found,
    )


class Client:
    """The measuring process: asked for a round of blocks, it returns their times (milliseconds)."""

    def __init__(self, session: Session, seed: int) -> None:
        address = urlsplit(session.api_url)
        task = Task(
            host=address.hostname or "",
            port=address.port or 443,
            ca=session.settings.text("HARNESS_CA_FILE"),
            path=session.spec.endpoint("me").path,
            token=Users.of(session).new("trial").token,
            seconds=BLOCK_SECONDS,
            rate=RATE,
            blocks=BLOCKS,
            slower=SLOWER,
            seed=seed,
        )
        command = [sys.executable, "-m", "load.trial_client"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._send(asdict(task))

    def _send(self, message: dict[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def measure(self, asked: Round) -> dict[str, list[list[float]]]:
        """One round of blocks of both sides; raises RuntimeError when the process has ended."""
        assert self._process.stdout is not None
        self._send(asdict(asked))
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the measuring process has ended")
        found: dict[str, list[list[float]]] = json.loads(line)
        return found

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@dataclass(frozen=True)
class Trial:
    """One trial: whether there was a slow-down, what the comparison made of it, and in how many rounds."""

    slower: bool
    judgement: str
    rounds: int
    comparison: str


def one_trial(client: Client, rule: Regression, slower: bool, seed: int) -> Trial:
    """Measure until the interval is narrow enough to tell, whichever way it decides."""
    blocks: dict[str, list[list[float]]] = {"old": [], "new": []}
    for number in range(1, MOST_ROUNDS + 1):
        for side, more in client.measure(Round(slower, is_new=number == 1)).items():
            blocks[side] += more
        comparison = Comparer(rule, seed=seed).compare([_record(blocks["old"])], [_record(blocks["new"])])[0]
        if _is_narrow(comparison):
            break
    return Trial(slower, comparison.judgement, number, comparison.describe())


def _is_narrow(comparison: Comparison) -> bool:
    first = comparison.ratios[0]
    return math.log(first.high / first.low) / 2 <= NARROW


def run_trials(count: int, seed: int = 1) -> list[Trial]:
    """`count` trials with a slow-down and as many without, in turns."""
    found = []
    with on_target(Choice("twin", twin_arguments=("--replace", *PATCH))) as session:
        client = Client(session, seed)
        try:
            for number in range(2 * count):
                trial = one_trial(client, session.spec.load.regression, number % 2 == 0, number)
                found.append(trial)
                side = "slower" if trial.slower else "same  "
                print(f"[{number + 1}/{2 * count}] {side}  {trial.rounds} rounds, {trial.comparison}", flush=True)
        finally:
            client.close()
    return found


def summary(found: Sequence[Trial]) -> tuple[str, bool]:
    """The figures in one line, and whether they are good enough."""
    slow = [trial.judgement == "slower" for trial in found if trial.slower]
    same = [trial.judgement == "slower" for trial in found if not trial.slower]
    line = f"a slow-down of {SLOWER:.0%} was flagged in {sum(slow)} of {len(slow)}, no change in {sum(same)} of {len(same)}"
    return line, bool(slow) and sum(slow) >= FLAGGED_AT_LEAST * len(slow) and sum(same) <= FALSE_AT_MOST * len(same)


def section(found: Sequence[Trial]) -> str:
    """The trials as a section of the benchmarks' page."""
    unsure = sum(trial.judgement == "not enough data" for trial in found)
    return (
        f"{HEADING}\n\nA/B trials on one twin, in turns block by block ({BLOCKS} blocks of {BLOCK_SECONDS:g} s at {RATE:g} a\n"
        f"second for each side, up to {MOST_ROUNDS} times until the interval is narrow; `python -m load.trials`):\n"
        f"{summary(found)[0]}. In {unsure} the judgement was *not enough data*.\n"
    )


def section_of(page: Path) -> str:
    """The section that a page holds, or nothing."""
    text = page.read_text() if page.exists() else ""
    return text[text.index(HEADING) :] if HEADING in text else ""


def main() -> int:
    """Run the trials; exit code 1 when the comparison misses slow-downs or reports some that are none."""
    parser = argparse.ArgumentParser(prog="python -m load.trials", description=__doc__)
    parser.add_argument("--trials", type=int, default=50, help="with a slow-down, and as many without (default 50)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page", action="store_true", help="put the figures into docs/benchmarks.md")
    parser.add_argument("--json", type=Path, default=Path(tempfile.gettempdir()) / "load-trials.json")
    options = parser.parse_args()
    found = run_trials(options.trials, options.seed)
    line, is_good = summary(found)
    if options.page:
        PAGE.write_text(PAGE.read_text().replace(section_of(PAGE), "") + section(found))
    options.json.write_text(json.dumps({"summary": line, "trials": [asdict(trial) for trial in found]}, indent=1))
    print(line)
    return ExitCode.PASS if is_good else ExitCode.FAIL


if __name__ == "__main__":
    sys.exit(main())
