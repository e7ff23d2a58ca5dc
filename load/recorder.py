"""What one load run measured, block by block of the schedule, so that generators' parts add up exactly."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import count

from load.histogram import Latencies
from load.record import BlockRecord, Part

UNANSWERED = "no answer before the run ended"


@dataclass
class Block:
    """Requests of one task that were due in one block; milliseconds."""

    response: list[float] = field(default_factory=list)
    service: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


class Recorder:
    """Kept by each generator. All times are seconds since the schedule's zero."""

    def __init__(self, block_seconds: float) -> None:
        self.block_seconds = block_seconds
        self.blocks: dict[tuple[str, int], Block] = defaultdict(Block)
        self.done: Counter[int] = Counter()
        self._numbers = count()
        self._started: list[tuple[float, float]] = []
        self._lag = Latencies()
        self._lag_by_block: dict[int, float] = defaultdict(float)
        self.dropped = 0
        self._reported: dict[tuple[str, int], int] = {}
        self._open: dict[int, tuple[str, float]] = {}

    def begin(self, name: str, due: float, started: float) -> int:
        """A request starts; the number returned names it for `end`."""
        number = next(self._numbers)
        self._open[number] = (name, due)
        self._started.append((due, started))
        return number

    def end(self, number: int, ended: float, service_ms: float, problem: str | None) -> None:
        """A request has ended, well or with a problem."""
        name, due = self._open.pop(number)
        block = self.blocks[name, int(due // self.block_seconds)]
        response = (ended - due) * 1000
        block.response.append(response if response > service_ms else service_ms)
        block.service.append(service_ms)
        self.done[int(ended // self.block_seconds)] += 1
        if problem is not None:
            block.errors[problem] += 1

    def abandon(self, now: float) -> None:
        """Requests still without an answer count as failures, with the time they have waited."""
        for number, (_, due) in list(self._open.items()):
            self.end(number, now, (now - due) * 1000, UNANSWERED)

    def part(self) -> Part:
        """What changed since the last part, for `Parts.add`."""
        counts = {key: len(block.service) for key, block in self.blocks.items()}
        changed = sorted(key for key, count in counts.items() if count != self._reported.get(key))
        self._reported = counts
        self._count_lag()
        return Part(
            blocks=[_encoded(task, index, self.blocks[task, index]) for task, index in changed],
            done=dict(self.done),
            lag=self._lag.encode(),
            lag_by_block={index: round(value, 3) for index, value in self._lag_by_block.items()},
            dropped=self.dropped,
        )

    def _count_lag(self) -> None:
        """Take in the starts since the last part: a long run must not count one start twice."""
        for due, started in self._started:
            behind, index = max(0.0, started - due) * 1000, int(due // self.block_seconds)
            self._lag.record(behind)
            self._lag_by_block[index] = max(self._lag_by_block[index], behind)
        self._started.clear()


def _encoded(task: str, index: int, block: Block) -> BlockRecord:
    response, service = Latencies.of(block.response).encode(), Latencies.of(block.service).encode()
    return BlockRecord(task=task, block=index, response=response, service=service, errors=dict(block.errors))
