"""The measuring process of the trials: rounds of blocks, both sides in turns, each request on its schedule.

It is a process of its own, because greenlets and the threads of a session do not mix. The first line of its input is a
`Task` as JSON, each further line a `Round`; each round is answered by one line with the times (milliseconds).
"""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import dataclass, field

import gevent.ssl
from geventhttpclient import HTTPClient

from load.arrivals import schedule
from load.open_loop import OpenLoop
from spec.model import Segment

CONCURRENCY = 200
TIMEOUT_SECONDS = 30.0
PATIENCE_SECONDS = 10.0
# The twin spends this much longer (milliseconds) on a request that carries it.
HEADER = "x-trial-longer-ms"


@dataclass(frozen=True)
class Task:
    """What is measured: an address, requests a second, seconds of a block, blocks of a round, and the share that is slower."""

    host: str
    port: int
    ca: str
    path: str
    token: str = field(repr=False)
    seconds: float
    rate: float
    blocks: int
    slower: float
    seed: int


@dataclass(frozen=True)
class Round:
    """One round: whether its new side is slower, and whether it is the first of a trial."""

    slower: bool
    is_new: bool


class TrialClient:
    """Measures one task."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._chance = random.Random(task.seed)
        self._longer_ms = 0.0
        self._http = HTTPClient(
            task.host,
            task.port,
            ssl=True,
            ssl_context_factory=lambda **_: gevent.ssl.create_default_context(cafile=task.ca),
            concurrency=CONCURRENCY,
            network_timeout=TIMEOUT_SECONDS,
            connection_timeout=TIMEOUT_SECONDS,
        )

    def measure(self, longer_ms: float = 0.0) -> list[float]:
        """Service times (milliseconds) of one block."""
        task, times = self._task, []
        headers = {"Authorization": f"Bearer {task.token}", "Host": f"{task.host}:{task.port}", HEADER: str(longer_ms)}

        def one(_: float) -> None:
            began = time.perf_counter()
            self._http.get(task.path, headers=headers).read()
            times.append((time.perf_counter() - began) * 1000)

        segment = Segment(seconds=task.seconds, rate=task.rate, arrivals="constant")
        OpenLoop(one, CONCURRENCY).run(schedule([segment]), PATIENCE_SECONDS)
        return times

    def round(self, asked: Round) -> dict[str, list[list[float]]]:
        """Blocks of the old and of the new side."""
        if asked.is_new:
            before = sorted(self.measure())
            self._longer_ms = before[len(before) // 4] * self._task.slower if asked.slower else 0.0
        blocks: dict[str, list[list[float]]] = {"old": [], "new": []}
        for _ in range(self._task.blocks):
            # In turns, in an order drawn anew: what the machine does meets both alike.
            for side in self._chance.sample(["old", "new"], 2):
                blocks[side].append(self.measure(self._longer_ms if side == "new" else 0.0))
        return blocks


def main() -> int:
    """Measure until the input ends."""
    client = TrialClient(Task(**json.loads(sys.stdin.readline())))
    client.measure()
    for line in sys.stdin:
        print(json.dumps(client.round(Round(**json.loads(line)))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
