"""Are shifts of response times found, and only those? Synthetic histories with one shift each, and others without any.

`python -m proof.change_points [--seed N] [--histories N]` prints the shares with their bounds. Seeds below 100 were used
while the thresholds of `[history.shifts]` were chosen, seed 7 is the test's, others tell what the choice is worth.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gate.change_points import Shift, find
from gate.exit_codes import ExitCode
from proof.figures import Share
from spec import load
from spec.model import Shifts

HISTORIES = 40
RUNS = (20, 60)
# Runs on either side of a shift, at least.
EDGE = 6
LEVELS_MS = (5.0, 2000.0)
NOISE = (0.03, 0.08)
CHANGES = (0.2, 0.6)
OUTLIERS = 0.04
OUTLIER_FACTORS = (1.5, 4.0)
# Slow noise: a part of it stays from run to run, or comes back in waves.
REMEMBERED = 0.6
WAVES = (0.01, 0.04)
WAVE_RUNS = (5.0, 25.0)
# A shift may be placed so many runs beside the true one: two neighbours may look alike.
NEAR = 3


@dataclass(frozen=True)
class Made:
    """A history, and where it shifts by which fraction; index 0 where it does not."""

    values: list[float]
    index: int = 0
    change: float = 0.0


def with_shift(random_: random.Random) -> Made:
    """Log-normal noise, outliers now and then, and one shift, up or down, away from both ends."""
    runs = random_.randint(*RUNS)
    index = random_.randint(EDGE, runs - EDGE)
    size = random_.uniform(*CHANGES)
    factor = 1 + size if random_.random() < 0.5 else 1 / (1 + size)
    level, noise = _level(random_), random_.uniform(*NOISE)
    values = [level * random_.lognormvariate(0, noise) * (factor if run >= index else 1) for run in range(runs)]
    return Made(_with_outliers(values, random_), index, factor - 1)


def without_shift(random_: random.Random) -> Made:
    """The same without the shift; of three, one has noise that lasts for a few runs, and one comes and goes in waves."""
    runs, kind = random_.randint(*RUNS), random_.randrange(3)
    level, noise = _level(random_), random_.uniform(*NOISE)
    height, length = random_.uniform(*WAVES), random_.uniform(*WAVE_RUNS)
    values, lasting = [], 0.0
    for run in range(runs):
        fresh = random_.gauss(0, noise)
        lasting = REMEMBERED * lasting + math.sqrt(1 - REMEMBERED**2) * fresh
        wave = height * math.sin(2 * math.pi * run / length)
        values.append(level * math.exp([fresh, lasting, fresh + wave][kind]))
    return Made(_with_outliers(values, random_))


def _level(random_: random.Random) -> float:
    low, high = map(math.log, LEVELS_MS)
    return math.exp(random_.uniform(low, high))


def _with_outliers(values: Sequence[float], random_: random.Random) -> list[float]:
    return [value * random_.uniform(*OUTLIER_FACTORS) if random_.random() < OUTLIERS else value for value in values]


def histories(seed: int, count: int = HISTORIES) -> Iterator[tuple[Made, Made]]:
    """Pairs of a history with a shift and one without."""
    random_ = random.Random(seed)
    for _ in range(count):
        yield with_shift(random_), without_shift(random_)


def is_found(made: Made, found: Sequence[Shift]) -> bool:
    """Whether exactly the shift that was made is reported: one, in its direction, at its place or near it."""
    return len(found) == 1 and abs(found[0].index - made.index) <= NEAR and (found[0].change > 0) == (made.change > 0)


def judge(seed: int, rule: Shifts, count: int = HISTORIES) -> tuple[Share, Share]:
    """How many shifts are found, and how many histories without one are flagged."""
    pairs = list(histories(seed, count))
    found = sum(is_found(shifted, find(shifted.values, rule)) for shifted, _ in pairs)
    flagged = sum(bool(find(calm.values, rule)) for _, calm in pairs)
    return Share(found, count), Share(flagged, count)


def main() -> ExitCode:
    """Print the shares; PASS whatever they are."""
    parser = argparse.ArgumentParser(prog="python -m proof.change_points", description=__doc__)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--histories", type=int, default=400)
    arguments = parser.parse_args()
    found, flagged = judge(arguments.seed, load().history.shifts, arguments.histories)
    print(f"with a shift     found exactly: {found.above}")
    print(f"without a shift  flagged: {flagged.below}")
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
