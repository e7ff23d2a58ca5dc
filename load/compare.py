"""Is this release slower than the last one? Two samples of service times, compared by resampling their blocks.

Requests of the same second are not independent of each other, so blocks are resampled and not requests. Between two runs
the machine differs as well: that spread is taken from the history where it holds enough runs of one release, else from the
specification. Where the interval is too wide to tell, the answer is "not enough data".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from load.histogram import Latencies
from load.record import LoadRecord
from spec.model import Regression

Judgement = Literal["slower", "faster", "no difference", "not enough data"]


@dataclass(frozen=True)
class Blocks:
    """Service times (milliseconds, ascending) of one task in one release; `block` says which block each belongs to."""

    values: np.ndarray
    counts: np.ndarray
    block: np.ndarray
    blocks: int
    runs: int

    @property
    def count(self) -> int:
        """Requests."""
        return int(self.counts.sum())

    def percentile(self, percent: float, weights: np.ndarray | None = None) -> float:
        """The percentile, with each block counted `weights` times."""
        counts = self.counts if weights is None else self.counts * weights[self.block]
        total = np.cumsum(counts)
        return float(self.values[min(len(self.values) - 1, int(np.searchsorted(total, percent / 100 * total[-1])))])


@dataclass(frozen=True)
class Ratio:
    """New over old for one percentile, with its confidence interval; above 1 is slower."""

    percent: float
    old_ms: float
    new_ms: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """What is said of one task. `p_value`: how often no difference would look like that (permuted blocks)."""

    task: str
    judgement: Judgement
    ratios: list[Ratio]
    p_value: float
    why: str

    def describe(self) -> str:
        """In one line."""
        if not self.ratios:
            return f"{self.task}: {self.judgement} ({self.why})"
        shown = ", ".join(
            f"p{r.percent:g} {r.old_ms:.1f} → {r.new_ms:.1f} ms (×{r.ratio:.2f}, {r.low:.2f} to {r.high:.2f})"
            for r in self.ratios
        )
        return f"{self.task}: {self.judgement}; {shown}"


def gather(runs: Sequence[LoadRecord], task: str) -> Blocks:
    """One task's service times of several runs of one release."""
    values: list[float] = []
    counts: list[int] = []
    block: list[int] = []
    number = 0
    for run in runs:
        for part in run.blocks:
            if part.task != task:
                continue
            for value, count in Latencies(part.service).values():
                values.append(value)
                counts.append(count)
                block.append(number)
            number += 1
    order = np.argsort(values, kind="stable")
    return Blocks(np.array(values)[order], np.array(counts, float)[order], np.array(block, int)[order], number, len(runs))


def run_spread(history: Sequence[LoadRecord], task: str, rule: Regression) -> float:
    """Standard deviation of log(median) between runs of one release; the specification's where the history is short."""
    groups: dict[tuple[str, str], list[float]] = {}
    for run in history:
        if not run.faults and task in run.tasks() and (median := run.latencies(task, "service").percentile(50)) > 0:
            groups.setdefault((run.release, run.target), []).append(math.log(median))
    parts = [group for group in groups.values() if len(group) > 1]
    freedom = sum(len(group) - 1 for group in parts)
    if freedom < rule.runs_to_tell - 1:
        return rule.run_spread
    # A few runs that happen to agree must not make the next one look like a regression.
    seen = math.sqrt(sum(float(np.var(group, ddof=1)) * (len(group) - 1) for group in parts) / freedom)
    return max(seen, rule.run_spread / 2)


class Comparer:
    """Compares the runs of a new release with those of an old one. `spread` is 0 for runs that were interleaved."""

    def __init__(self, rule: Regression, seed: int, spread: Callable[[str], float] = lambda _: 0.0) -> None:
        self.rule = rule
        self.seed = seed
        self.spread = spread

    def compare(self, old: Sequence[LoadRecord], new: Sequence[LoadRecord]) -> list[Comparison]:
        """One comparison for each task that both know."""
        tasks = [task for task in new[0].tasks() if any(task in run.tasks() for run in old)]
        return [self.task(task, gather(old, task), gather(new, task)) for task in tasks]

    def task(self, name: str, old: Blocks, new: Blocks) -> Comparison:
        """Compare one task."""
        rule = self.rule
        if short := [
            f"{who} has {sample.count} requests in {sample.blocks} blocks"
            for who, sample in (("the baseline", old), ("this run", new))
            if sample.count < rule.minimum_samples or sample.blocks < rule.minimum_blocks
        ]:
            needed = f"{rule.minimum_samples} in {rule.minimum_blocks} are needed"
            return Comparison(name, "not enough data", [], 1.0, f"{'; '.join(short)}; {needed}")
        random = np.random.default_rng(self.seed)
        percents = [p for p in rule.percentiles if min(old.count, new.count) * (1 - p / 100) >= 5]
        deviation = self.spread(name) * math.sqrt(1 / old.runs + 1 / new.runs)
        ratios = [self._ratio(percent, old, new, deviation, random) for percent in percents]
        p_value = self._permuted(old, new, deviation, random)
        return _compared(name, ratios, p_value, rule)

    def _ratio(self, percent: float, old: Blocks, new: Blocks, deviation: float, random: np.random.Generator) -> Ratio:
        before, after = old.percentile(percent), new.percentile(percent)
        drawn = [
            math.log(_resampled(new, percent, random) / _resampled(old, percent, random)) for _ in range(self.rule.resamples)
        ]
        middle = math.log(after / before)
        width = stats.norm.ppf((1 + self.rule.confidence) / 2) * math.hypot(float(np.std(drawn)), deviation)
        return Ratio(percent, before, after, after / before, math.exp(middle - width), math.exp(middle + width))

    def _permuted(self, old: Blocks, new: Blocks, deviation: float, random: np.random.Generator) -> float:
        """One-sided p-value of the difference of mean log times of the blocks, under permuted labels and the runs' spread."""
        means = np.concatenate([_block_means(old), _block_means(new)])
        is_new = np.arange(len(means)) >= old.blocks
        seen = means[is_new].mean() - means[~is_new].mean()
        drawn = np.empty(self.rule.resamples)
        for number in range(self.rule.resamples):
            shuffled = random.permutation(is_new)
            drawn[number] = means[shuffled].mean() - means[~shuffled].mean() + random.normal(0, deviation)
        return float((np.sum(drawn >= seen) + 1) / (len(drawn) + 1))


def _resampled(blocks: Blocks, percent: float, random: np.random.Generator) -> float:
    weights = np.bincount(random.integers(0, blocks.blocks, blocks.blocks), minlength=blocks.blocks).astype(float)
    return blocks.percentile(percent, weights)


def _block_means(blocks: Blocks) -> np.ndarray:
    total = np.bincount(blocks.block, blocks.counts, minlength=blocks.blocks)
    return np.bincount(blocks.block, blocks.counts * np.log(blocks.values), minlength=blocks.blocks) / total


def _compared(name: str, ratios: list[Ratio], p_value: float, rule: Regression) -> Comparison:
    """Slower: the median's interval lies above the margin and permuted blocks hardly show that; or a tail's far above."""
    rare = 1 - rule.confidence
    middle, *tails = ratios
    slower = [r for r in tails if r.low > rule.clear]
    if middle.low > rule.margin and p_value <= rare:
        slower.append(middle)
    if slower:
        worst = max(slower, key=lambda r: r.low)
        return Comparison(
            name, "slower", ratios, p_value, f"p{worst.percent:g} is at least {(worst.low - 1) * 100:.0f} % slower"
        )
    if middle.high < 1 / rule.margin and p_value >= 1 - rare:
        return Comparison(name, "faster", ratios, p_value, "an interval lies below 1")
    if middle.high > rule.clear and middle.low < 1:
        why = f"the median may be ×{middle.low:.2f} to ×{middle.high:.2f}; repeat the run"
        return Comparison(name, "not enough data", ratios, p_value, why)
    return Comparison(name, "no difference", ratios, p_value, "the intervals hold 1 or stay within the margin")
