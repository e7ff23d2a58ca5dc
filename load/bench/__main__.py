"""Runs the benchmarks one after another and writes docs/benchmarks.md; exit code 1 when the figures are not good enough.

`python -m load.bench [--quick]`: accuracy (accuracy.py), cost (cost.py), and comparison: fifty A/B trials with a true
slow-down and fifty without (load/trials.py).
"""

from __future__ import annotations

import argparse
import sys

from gate.exit_codes import ExitCode
from gate.places import ROOT
from load import trials
from load.bench.accuracy import RATE, SECONDS, WORK_SECONDS, accuracy
from load.bench.cost import capacity, punctuality

MARKDOWN_FILE = ROOT / "docs" / "benchmarks.md"
ERROR_AT_MOST, ON_TIME_AT_LEAST, RATE_AT_LEAST, TWO_AT_LEAST = 0.05, 0.99, 0.7, 1.7


def _measure(quick: bool) -> tuple[list[str], bool]:
    """Accuracy and cost as lines of the page, and whether they are good enough."""
    rows, worst = accuracy()
    on_time, share = punctuality(10 if quick else 30)
    rates, ratios = capacity(3 if quick else 5)
    lines = [
        "# Benchmarks",
        "",
        "Produced by `make bench` on one machine; what is compared was measured in one run, one after another.",
        "",
        "## Accuracy",
        "",
        f"A bare ASGI server on loopback that answers after {WORK_SECONDS * 1000:.0f} ms and freezes; {RATE} requests a second",
        f"for {SECONDS} s. The truth comes from the schedule and the server's own log. In brackets: the error against it.",
        *rows,
        "",
        f"Largest error of open arrivals: {worst:.1%}.",
        "",
        "## Cost",
        *on_time,
        *rates,
    ]
    cheap = ratios.against_plain >= RATE_AT_LEAST and ratios.two_over_one >= TWO_AT_LEAST
    return lines, worst <= ERROR_AT_MOST and share >= ON_TIME_AT_LEAST and cheap


def main() -> int:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser(prog="python -m load.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs and ten trials; the page is not written")
    parser.add_argument("--no-trials", action="store_true", help="keep the page's A/B trials of an earlier run")
    options = parser.parse_args()
    lines, is_good = _measure(options.quick)
    print("\n".join(lines), flush=True)
    kept = trials.section_of(MARKDOWN_FILE)
    if not options.no_trials:
        found = trials.run_trials(10 if options.quick else 50)
        kept = trials.section(found)
        is_good = is_good and trials.summary(found)[1]
        print(kept)
    if not options.quick:
        MARKDOWN_FILE.write_text("\n".join(lines) + "\n\n" + kept)
    return ExitCode.PASS if is_good else ExitCode.FAIL


if __name__ == "__main__":
    sys.exit(main())
