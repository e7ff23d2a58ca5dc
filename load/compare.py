"""Is this release slower than the last one? Two samples of service times, compared with an interval for each ratio.

Requests of the same second are not independent of each other, and two runs of one release differ as well: the machine is
busier, a process starts elsewhere. So where both releases were run several times, the runs are the sample (Welch's t-test
on the logarithm of each percentile). Otherwise blocks of requests are resampled, and the spread between runs is taken from
the history, or from the specification. What a healthy twin beside the target became slower by at the same time is the
machine's doing and taken off. Where the interval is too wide to tell, the answer is "not enough data".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from load.record import BESIDE, LoadRecord
from load.times import Times
from spec.model import Regression

Judgement = Literal["slower", "faster", "no difference", "not enough data"]
# A percentile needs some values beyond it.
BEYOND = 5
# Beyond it a regression would have to be seen in a handful of requests.
TAIL = 95


@dataclass(frozen=True)
class Ratio:
    """New over old for one percentile with its confidence interval, the machine's own change taken off; above 1 is slower."""

    percent: float
    old_ms: float
    new_ms: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """The conclusion about one task. `p_value`: how often no difference would look like that."""

    task: str
    judgement: Judgement
    ratios: list[Ratio]
    p_value: float
    why: str

    def describe(self) -> str:
        """One line with the figures."""
        if not self.ratios:
            return f"{self.task}: {self.judgement} ({self.why})"
        shown = ", ".join(
            f"p{r.percent:g} {r.old_ms:.1f} → {r.new_ms:.1f} ms (×{r.ratio:.2f}, {r.low:.2f} to {r.high:.2f})"
            for r in self.ratios
        )
        return f"{self.task}: {self.judgement}; {shown}"

    def facts(self) -> dict[str, object]:
        """The ratio of each percentile, new over old."""
        return {f"p{r.percent:g}_ratio": round(r.ratio, 3) for r in self.ratios}


@dataclass(frozen=True)
class Pair:
    """One task in the runs of both releases."""

    task: str
    old: Sequence[LoadRecord]
    new: Sequence[LoadRecord]
    before: Times
    after: Times

    def ratio(self, percent: float, middle: float, low: float, high: float) -> Ratio:
        """The ratio of a percentile from logarithms."""
        was, now = self.before.percentile(percent), self.after.percentile(percent)
        return Ratio(percent, was, now, math.exp(middle), math.exp(low), math.exp(high))


def run_spread(history: Sequence[LoadRecord], task: str, rule: Regression) -> float:
    """Standard deviation, between runs of one release, of the first percentile's logarithm.

    The specification's, where the history is too short to tell.
    """
    groups: dict[tuple[str, str], list[float]] = {}
    for run in history:
        if not run.faults and task in run.tasks():
            groups.setdefault((run.release, run.target), []).append(_logarithm(run, task, rule.percentiles[0]))
    parts = [group for group in groups.values() if len(group) > 1]
    freedom = sum(len(group) - 1 for group in parts)
    if freedom < rule.runs_to_tell - 1:
        return rule.run_spread
    # A few runs that happen to agree must not make the next one look like a regression.
    seen = math.sqrt(sum(float(np.var(group, ddof=1)) * (len(group) - 1) for group in parts) / freedom)
    return max(seen, rule.run_spread / 2)


def _logarithm(run: LoadRecord, task: str, percent: float) -> float:
    """Of a percentile of one run, the machine's own speed taken off."""
    beside = run.latencies(BESIDE + task, "service").percentile(percent)
    value = run.latencies(task, "service").percentile(percent)
    return math.log(max(value, 1e-3)) - (math.log(beside) if beside else 0.0)


class Comparer:
    """Compares the runs of a new release with those of an old one; `history` tells how much runs differ by themselves.

    Without a history the runs were measured in turns, block by block, and nothing lies between them.
    """

    def __init__(self, rule: Regression, seed: int, history: Sequence[LoadRecord] | None = None) -> None:
        self.rule = rule
        self.history = history
        self.random = np.random.default_rng(seed)

    def compare(self, old: Sequence[LoadRecord], new: Sequence[LoadRecord]) -> list[Comparison]:
        """One comparison for each task that both know."""
        tasks = [task for task in new[0].tasks() if any(task in run.tasks() for run in old)]
        return [self.task(task, [r for r in old if task in r.tasks()], [r for r in new if task in r.tasks()]) for task in tasks]

    def task(self, name: str, old: Sequence[LoadRecord], new: Sequence[LoadRecord]) -> Comparison:
        """Compare one task."""
        rule, pair = self.rule, Pair(name, old, new, Times(old, name), Times(new, name))
        if short := [
            f"{who} has {sample.count} requests in {sample.blocks} blocks"
            for who, sample in (("the baseline", pair.before), ("this run", pair.after))
            if sample.count < rule.minimum_samples or sample.blocks < rule.minimum_blocks
        ]:
            needed = f"{rule.minimum_samples} in {rule.minimum_blocks} are needed"
            return Comparison(name, "not enough data", [], 1.0, f"{'; '.join(short)}; {needed}")
        fewest = min(pair.before.count, pair.after.count)
        percents = [p for p in rule.percentiles if fewest * (1 - p / 100) >= BEYOND]
        by = self._by_runs if min(len(old), len(new)) >= rule.runs_to_tell else self._by_blocks
        return _judged(name, *by(pair, percents), rule)

    def _by_runs(self, pair: Pair, percents: list[float]) -> tuple[list[Ratio], float]:
        """Welch's t-test on the runs."""
        from scipy import stats  # takes a second, and every run of the gate imports this module

        ratios, p_values = [], []
        for percent in percents:
            was = [_logarithm(run, pair.task, percent) for run in pair.old]
            now = [_logarithm(run, pair.task, percent) for run in pair.new]
            low, high = stats.ttest_ind(now, was, equal_var=False).confidence_interval(self.rule.confidence)
            p_values.append(float(stats.ttest_ind(now, was, equal_var=False, alternative="greater").pvalue))
            ratios.append(pair.ratio(percent, float(np.mean(now) - np.mean(was)), float(low), float(high)))
        return ratios, p_values[0]

    def _by_blocks(self, pair: Pair, percents: list[float]) -> tuple[list[Ratio], float]:
        """Resampled blocks, and the spread between runs."""
        before, after = pair.before, pair.after
        spread = 0.0 if self.history is None else run_spread(self.history, pair.task, self.rule)
        spread *= math.sqrt(1 / len(pair.old) + 1 / len(pair.new))
        shift, blur = self._machine(pair, percents[0])
        spread = math.hypot(spread, blur)
        sure = NormalDist().inv_cdf((1 + self.rule.confidence) / 2)
        ratios = []
        for percent in percents:
            middle = math.log(after.percentile(percent) / before.percentile(percent)) - shift
            width = sure * math.hypot(self._deviation(before, after, percent), spread)
            ratios.append(pair.ratio(percent, middle, middle - width, middle + width))
        return ratios, self._permuted(before, after, shift, spread)

    def _deviation(self, before: Times, after: Times, percent: float) -> float:
        """Standard deviation of the ratio's logarithm over resampled blocks; blocks that were measured in turns stay pairs."""
        logs = []
        for _ in range(self.rule.resamples):
            drawn = before.draw(self.random)
            other = drawn if self._is_paired(before, after) else after.draw(self.random)
            logs.append(math.log(after.percentile(percent, other) / before.percentile(percent, drawn)))
        return float(np.std(logs))

    def _is_paired(self, before: Times, after: Times) -> bool:
        return self.history is None and before.blocks == after.blocks

    def _machine(self, pair: Pair, percent: float) -> tuple[float, float]:
        """How much slower (logarithm) the machine itself was in the new runs, and how sure that is."""
        before, after = Times(pair.old, BESIDE + pair.task), Times(pair.new, BESIDE + pair.task)
        if min(before.count, after.count) < self.rule.minimum_samples:
            return 0.0, 0.0
        shift = math.log(after.percentile(percent) / before.percentile(percent))
        return shift, self._deviation(before, after, percent)

    def _permuted(self, before: Times, after: Times, shift: float, spread: float) -> float:
        """One-sided p-value of the difference of the blocks, under permuted labels and the runs' spread."""
        first = self.rule.percentiles[0]
        old, new = before.of_blocks(first), after.of_blocks(first) - shift
        drawn = np.empty(self.rule.resamples)
        if self._is_paired(before, after):
            seen = float((new - old).mean())
            for number in range(self.rule.resamples):
                drawn[number] = float((self.random.choice((-1, 1), len(new)) * (new - old)).mean())
        else:
            means, is_new = np.concatenate([old, new]), np.arange(len(old) + len(new)) >= len(old)
            seen = float(new.mean() - old.mean())
            for number in range(self.rule.resamples):
                shuffled = self.random.permutation(is_new)
                drawn[number] = means[shuffled].mean() - means[~shuffled].mean() + self.random.normal(0, spread)
        return float((np.sum(drawn >= seen) + 1) / (len(drawn) + 1))


def _judged(name: str, ratios: list[Ratio], p_value: float, rule: Regression) -> Comparison:
    """Slower: the first percentile's interval lies above the margin and the test agrees; or a tail's lies far above."""
    rare = 1 - rule.confidence
    first, *tails = ratios
    slower = [r for r in tails if r.low > rule.clear and r.percent <= TAIL]
    if first.low > rule.margin and p_value <= rare:
        slower.append(first)
    if slower:
        worst = max(slower, key=lambda r: r.low)
        why = f"p{worst.percent:g} is ×{worst.ratio:.2f}, at least {(worst.low - 1) * 100:.0f} % slower"
        return Comparison(name, "slower", ratios, p_value, why)
    if first.high < 1 / rule.margin and p_value >= 1 - rare:
        return Comparison(name, "faster", ratios, p_value, "an interval lies below 1")
    if first.high > rule.clear:
        why = f"p{first.percent:g} may be ×{first.low:.2f} to ×{first.high:.2f}; repeat the run"
        return Comparison(name, "not enough data", ratios, p_value, why)
    return Comparison(name, "no difference", ratios, p_value, f"any difference stays below ×{rule.clear:g}")
