"""The sample that two releases are compared by: service times of one task, block by block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from load.histogram import Latencies
from load.record import LoadRecord

Numbers = NDArray[np.float64]


class Times:
    """Service times (milliseconds, ascending) of one task; `block` says which block each belongs to."""

    def __init__(self, runs: Sequence[LoadRecord], task: str) -> None:
        values: list[float] = []
        counts: list[int] = []
        block: list[int] = []
        self.blocks = 0
        for run in runs:
            for part in run.blocks:
                if part.task == task:
                    for value, count in Latencies(part.service).values():
                        values.append(value)
                        counts.append(count)
                        block.append(self.blocks)
                    self.blocks += 1
        order = np.argsort(values, kind="stable")
        self.values = np.array(values)[order]
        self.counts = np.array(counts, float)[order]
        self.block = np.array(block, int)[order]

    @property
    def count(self) -> int:
        """Requests."""
        return int(self.counts.sum())

    def percentile(self, percent: float, weights: Numbers | None = None) -> float:
        """The percentile, with each block counted `weights` times."""
        counts = self.counts if weights is None else self.counts * weights[self.block]
        total = np.cumsum(counts)
        return float(self.values[min(len(self.values) - 1, int(np.searchsorted(total, percent / 100 * total[-1])))])

    def draw(self, random: np.random.Generator) -> Numbers:
        """How often each block is taken when as many blocks are drawn with replacement."""
        return np.bincount(random.integers(0, self.blocks, self.blocks), minlength=self.blocks).astype(float)

    def of_blocks(self, percent: float) -> Numbers:
        """Logarithm of the percentile of each block: unlike a mean, a stall in one request does not move it."""
        found = [
            self.percentile(percent, np.bincount([number], minlength=self.blocks).astype(float))
            for number in range(self.blocks)
        ]
        return np.log(found)
