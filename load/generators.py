"""One or several generators of one schedule: who has which share, when all begin, what comes back, and who got lost.

Locust's own messages carry it: a generator says that it is ready, the master names the moment of zero, generators report
what they measured every few seconds, and a generator whose heartbeat stops is written down as lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import gevent
from gevent.event import AsyncResult
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner, Runner, WorkerRunner

from load.internals.locust_ import heard_generators
from load.record import Part, Parts

LEAD_SECONDS = 1.0
REPORT_SECONDS = 2.0
WATCH_SECONDS = 0.5
READY, GO, PART = "load_ready", "load_go", "load_part"


@dataclass(frozen=True)
class Start:
    """The master's word to begin: the moment of zero (seconds since the epoch) and the generators' indexes in order."""

    zero: float
    order: list[int]


class Generator:
    """The worker's side, also where there is only one process."""

    def __init__(self, runner: Runner, parts: Parts) -> None:
        self._runner = runner
        self._parts = parts
        self._go: AsyncResult[Start] = AsyncResult()
        if isinstance(runner, WorkerRunner):
            runner.register_message(GO, self._on_go)

    def _on_go(self, environment: Environment, msg: Message, **_: object) -> None:
        self._go.set(Start(**msg.data))

    def begin(self) -> tuple[float | None, int, int]:
        """Wait for the others: the moment of zero (perf_counter; None is now), this one's share and of how many."""
        if not isinstance(self._runner, WorkerRunner):
            return None, 0, 1
        index = self._runner.worker_index
        self._runner.send_message(READY, {"index": index})
        start = self._go.get()
        return time.perf_counter() + start.zero - time.time(), start.order.index(index), len(start.order)

    def report(self, part: Part, is_last: bool = False) -> None:
        """Hand over what was measured so far."""
        if isinstance(self._runner, WorkerRunner):
            self._runner.send_message(PART, {"part": part.model_dump_json(), "last": is_last})
        else:
            self._parts.add("local", part)


class Master:
    """The master's side: waits for everybody, names the zero, adds up, and ends the run when all are done or lost."""

    def __init__(self, runner: MasterRunner, parts: Parts, expected: int, finished: Callable[[], None]) -> None:
        self._runner = runner
        self._parts = parts
        self._expected = expected
        self._finished = finished
        self._ready: dict[str, int] = {}
        self._seen: set[str] = set()
        self._done: set[str] = set()
        self.lost: dict[str, float] = {}
        self.zero = 0.0
        # Whether all generators have done their share or are lost.
        self.has_ended = False
        runner.register_message(READY, self._on_ready)
        runner.register_message(PART, self._on_part)
        gevent.spawn(self._watch)

    @property
    def workers(self) -> int:
        """How many took part."""
        return len(self._seen)

    def _on_ready(self, environment: Environment, msg: Message, **_: object) -> None:
        self._ready[msg.node_id] = msg.data["index"]
        self._seen.add(msg.node_id)

    def _on_part(self, environment: Environment, msg: Message, **_: object) -> None:
        self._parts.add(msg.node_id, Part.model_validate_json(msg.data["part"]))
        if msg.data["last"]:
            self._done.add(msg.node_id)

    def _watch(self) -> None:
        while True:
            gevent.sleep(WATCH_SECONDS)
            present = heard_generators(self._runner)
            self._seen |= present
            for name in self._seen - present - self._done - self.lost.keys():
                self.lost[name] = round(max(0.0, time.time() - self.zero) if self.zero else 0.0, 1)
            if not self.zero:
                self._start_when_ready()
            elif self._seen <= self._done | self.lost.keys():
                self.has_ended = True
                return self._finished()

    def _start_when_ready(self) -> None:
        waiting = len(self._seen) - len(self.lost) - len(self._ready.keys() - self.lost.keys())
        if not self._ready or waiting or len(self._seen) < self._expected:
            return
        self.zero = time.time() + LEAD_SECONDS
        # Workers that were lost before the start keep their share: what they should have sent is missing, and shows.
        self._runner.send_message(GO, {"zero": self.zero, "order": sorted(self._ready.values())})
