"""Fifty times "is B slower than A?": does the comparison see a fifth, and stay silent where there is nothing?

`python -m load.trials --trials 50` measures one twin whose requests can be told to take longer, in turns block by block, and
compares as `make load BASELINE=...` does. Half of the trials hold a true slow-down of 20 %, half hold none.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fixtures.users import Users
from load.compare import Comparer, Comparison
from load.histogram import Latencies
from load.record import BlockRecord, LoadRecord
from load.session import Session
from spec import current

ROOT = Path(__file__).resolve().parents[1]
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
    '                more = float(dict(scope["headers"]).get(b"x-trial-longer-ms", b"0")) / 1000\n'
    "                until = time.perf_counter() + more\n"
    "                while time.perf_counter() < until:\n"
    "                    pass\n"
    '                spent = f"{time.perf_counter()',
)
# Runs in a process of its own, because gevent changes the whole process.
CLIENT = """
from gevent import monkey
monkey.patch_all()
import json, random, ssl, sys, time
from geventhttpclient import HTTPClient
from load.arrivals import schedule
from load.open_loop import OpenLoop
from spec.model import Segment
told = json.loads(sys.stdin.readline())
context = ssl.create_default_context(cafile=told["ca"])
http = HTTPClient(told["host"], told["port"], ssl=True, ssl_context_factory=lambda: context, concurrency=200,
                  network_timeout=30, connection_timeout=30)
headers = {"Authorization": "Bearer " + told["token"], "Host": told["netloc"]}
chance = random.Random(told["seed"])
def measure(longer):
    times = []
    def one(due):
        began = time.perf_counter()
        http.get(told["path"], headers=headers | {"x-trial-longer-ms": str(longer)}).read()
        times.append((time.perf_counter() - began) * 1000)
    segment = Segment(seconds=told["seconds"], rate=told["rate"], arrivals="constant")
    OpenLoop(one, 200).run(schedule([segment]), 10)
    return times
measure(0)
longer = 0
for line in sys.stdin:
    asked = json.loads(line)
    if asked["is_new"]:
        before = sorted(measure(0))
        longer = before[len(before) // 4] * told["slower"] if asked["slower"] else 0
    blocks = {"old": [], "new": []}
    for _ in range(told["blocks"]):
        # In turns, in an order drawn anew: what the machine does meets both alike.
        for which in chance.sample(["old", "new"], 2):
            blocks[which].append(measure(longer if which == "new" else 0))
    print(json.dumps(blocks), flush=True)
"""


def _record(blocks: list[list[float]]) -> LoadRecord:
    encoded = [Latencies.of(times).encode() for times in blocks]
    found = [BlockRecord(task=TASK, block=n, response=text, service=text) for n, text in enumerate(encoded)]
    usual = {"run_id": "trial", "release": "trial", "target": "twin", "kind": "twin", "profile": "trial"}
    return LoadRecord(**usual, started_at="", seconds=BLOCKS * BLOCK_SECONDS, block_seconds=BLOCK_SECONDS, blocks=found)


class Client:
    """The measuring process: asked for a round of blocks, it answers their times (milliseconds)."""

    def __init__(self, session: Session, seed: int) -> None:
        run = session.run
        user = Users.of(run).new("trial")
        host, _, port = run.api_host.partition(":")
        told = {
            "host": host, "port": int(port), "netloc": run.api_host, "ca": str(run.settings.harness_ca_file),
            "token": user.token, "path": session.spec.endpoint("me").path, "seconds": BLOCK_SECONDS, "rate": RATE,
            "blocks": BLOCKS, "slower": SLOWER, "seed": seed,
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLIENT],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._say(told)

    def _say(self, what: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def measure(self, slower: bool, is_new: bool) -> dict[str, list[list[float]]]:
        """One round of blocks of both sides, of a new trial or more of the same."""
        assert self._process.stdout is not None
        self._say({"slower": slower, "is_new": is_new})
        found: dict[str, list[list[float]]] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def one_trial(client: Client, slower: bool, seed: int) -> tuple[Comparison, int]:
    """Measure until the interval is narrow enough to tell, whatever it says; the comparison and the rounds it took."""
    blocks: dict[str, list[list[float]]] = {"old": [], "new": []}
    for number in range(1, MOST_ROUNDS + 1):
        for side, more in client.measure(slower, is_new=number == 1).items():
            blocks[side] += more
        comparer = Comparer(current().load.regression, seed=seed)
        comparison = comparer.compare([_record(blocks["old"])], [_record(blocks["new"])])[0]
        first = comparison.ratios[0]
        if math.log(first.high / first.low) / 2 <= NARROW:
            break
    return comparison, number


def run_trials(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """`count` trials with a slow-down and as many without, in turns; each says what was true and what was judged."""
    found: list[dict[str, Any]] = []
    with Session("twin", twin_arguments=["--replace", *PATCH]) as session:
        client = Client(session, seed)
        for number in range(2 * count):
            slower = number % 2 == 0
            comparison, rounds = one_trial(client, slower, number)
            told = comparison.describe()
            found.append({"slower": slower, "judgement": comparison.judgement, "rounds": rounds, "says": told})
            print(f"[{number + 1}/{2 * count}] {'slower' if slower else 'same  '}  {rounds} rounds, {told}", flush=True)
        client.close()
    return found


def summary(found: list[dict[str, Any]]) -> tuple[str, bool]:
    """The figures in one line, and whether they are good enough."""
    slow = [trial["judgement"] == "slower" for trial in found if trial["slower"]]
    same = [trial["judgement"] == "slower" for trial in found if not trial["slower"]]
    told = f"a slow-down of {SLOWER:.0%} was flagged in {sum(slow)} of {len(slow)}, no change in {sum(same)} of {len(same)}"
    return told, bool(slow) and sum(slow) >= FLAGGED_AT_LEAST * len(slow) and sum(same) <= FALSE_AT_MOST * len(same)


def section(found: list[dict[str, Any]]) -> str:
    """The trials as a section of the benchmarks' page."""
    unsure = sum(trial["judgement"] == "not enough data" for trial in found)
    return (
        f"{HEADING}\n\nA/B trials on one twin, in turns block by block ({BLOCKS} blocks of {BLOCK_SECONDS:g} s at {RATE:g} a\n"
        f"second for each side, up to {MOST_ROUNDS} times until the interval is narrow; `python -m load.trials`):\n"
        f"{summary(found)[0]}. In {unsure} the answer was *not enough data*.\n"
    )


def section_of(page: Path) -> str:
    """The section that a page holds, or nothing."""
    text = page.read_text() if page.exists() else ""
    return text[text.index(HEADING) :] if HEADING in text else ""


def main() -> int:
    """Run the trials; exit code 1 when the comparison misses too much or cries wolf."""
    parser = argparse.ArgumentParser(prog="python -m load.trials", description=__doc__)
    parser.add_argument("--trials", type=int, default=50, help="with a slow-down, and as many without (default 50)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page", action="store_true", help="put the figures into docs/benchmarks.md")
    parser.add_argument("--json", type=Path, default=Path(tempfile.gettempdir()) / "load-trials.json")
    options = parser.parse_args()
    found = run_trials(options.trials, options.seed)
    told, good = summary(found)
    if options.page:
        PAGE.write_text(PAGE.read_text().replace(section_of(PAGE), "") + section(found))
    options.json.write_text(json.dumps({"summary": told, "trials": found}, indent=1))
    print(told)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
