"""Situations in which a worker may find a job: combinations of the grid's axes, so that as many pairs as possible occur."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

from spec.model import Specification
from spec.model.queue import Grid

# What is stored where a document is not parsed yet.
FILE = "file"
WAITING, ABANDONED, DUE, LATER = "waiting", "abandoned", "due", "later"


# The longest units first, in seconds.
UNITS = {"days": 86_400, "hours": 3_600}


def _ago(seconds: float) -> str:
    """An age in its longest whole unit, as a part of a name."""
    unit, length = next(((name, each) for name, each in UNITS.items() if seconds >= each), ("seconds", 1))
    return f"made-{seconds / length:.0f}-{unit}-ago"


@dataclass(frozen=True)
class Situation:
    """One job: its stage, what is stored by then, its state, failed attempts, ended workers and age in seconds."""

    round: int
    stage: str
    stored: str
    state: str
    attempts: int
    claims: int
    age: float

    @property
    def name(self) -> str:
        """What it is called, which is different for each."""
        return f"{self.stage}-{self.state}-{self.attempts}-failures-{self.claims}-deaths-{self.stored}-{_ago(self.age)}"

    def may_fail(self, grid: Grid, retries: int) -> bool:
        """Whether a worker may give the job up, with a reason: otherwise it has to become complete."""
        is_broken = self.stored in grid.may_fail.get(self.stage, [])
        return is_broken or self.claims >= grid.given_up_from or self.attempts >= retries


def _candidates(grid: Grid, number: int, stage: str) -> list[Situation]:
    """All that may occur: only a job whose worker died was claimed and is not released."""
    found = []
    states = [(state, grid.attempts[state]) for state in grid.only.get(stage, grid.attempts)]
    for stored, (state, counts), age in product(grid.rounds[number][stage], states, grid.ages):
        for attempts, claims in product(counts, grid.claims if state == ABANDONED else [0]):
            found.append(Situation(number, stage, stored, state, attempts, claims, age))
    return found


def _pairs(one: Situation) -> set[tuple[object, ...]]:
    facts = [("stored", one.stored), ("state", one.state), ("attempts", one.attempts), ("claims", one.claims), ("age", one.age)]
    of_stage = {(one.stage, *fact) for fact in facts}
    return of_stage | set(combinations(facts, 2)) | {(one.stage, "stored and state", one.stored, one.state)}


def situations(spec: Specification) -> Iterator[Situation]:
    """The situations that are tried, the same in every process; each next one adds the most pairs that have not occurred."""
    grid, seen = spec.queue.grid, set[tuple[object, ...]]()
    for number, stages in enumerate(grid.rounds):
        for stage in stages:
            left = _candidates(grid, number, stage)
            for _ in range(min(grid.fewer.get(stage, grid.of_each_stage), len(left))):
                best = max(left, key=lambda one: len(_pairs(one) - seen))
                left.remove(best)
                seen |= _pairs(best)
                yield best
