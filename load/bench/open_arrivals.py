"""A locustfile of open arrivals against any URL, on the same machinery as load/locustfile.py; prints what it measured.

Environment: BENCH_RATE, BENCH_SECONDS. The answer stands behind RESULT, as JSON.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import gevent
from locust import FastHttpUser, events, task
from locust.runners import MasterRunner, WorkerRunner

from load.arrivals import schedule
from load.bench import PERCENTS
from load.generators import Generator, Master
from load.open_loop import OpenLoop
from load.record import LoadRecord, Parts
from load.recorder import Recorder
from spec.model import Segment

SECONDS, RATE = float(os.environ["BENCH_SECONDS"]), float(os.environ["BENCH_RATE"])
NUMBERED = "BENCH_NUMBERED" in os.environ
PARTS = Parts()
RECORDER = Recorder(block_seconds=1.0)
DUE_AT: dict[int, float] = {}


class Arrivals(FastHttpUser):
    """Everybody who arrives."""

    concurrency = 4000
    has_run = False

    @task
    def everybody(self) -> None:
        """This generator's share, once."""
        if Arrivals.has_run:
            gevent.sleep(1)
            return
        Arrivals.has_run = True
        generator = Generator(self.environment.runner, PARTS)
        zero, share, of = generator.begin()
        zero = zero if zero is not None else time.perf_counter() + 0.1
        due = list(schedule([Segment(seconds=SECONDS, rate=RATE, arrivals="constant")], 0, share, of))
        loop = OpenLoop(self.one, 4000)
        self.zero, self.wall = zero, time.time() - time.perf_counter() + zero
        self.client.get("/begin", name="begin")
        loop.run(due, 20, zero)
        RECORDER.abandon(loop.now)
        RECORDER.dropped = loop.dropped
        generator.report(RECORDER.part(), is_last=True)
        if not isinstance(self.environment.runner, WorkerRunner):
            self.environment.runner.quit()

    def one(self, due: float) -> None:
        """One request."""
        started = time.perf_counter() - self.zero
        number = RECORDER.begin("one", due, started)
        if NUMBERED:
            DUE_AT[number] = self.wall + due
        reply = self.client.get(f"/?{number}" if NUMBERED else "/", name="one")
        ended = time.perf_counter() - self.zero
        problem = None if reply.status_code == 200 else f"{reply.status_code} instead of 200"
        RECORDER.end(number, ended, (ended - started) * 1000, problem)


def begin(environment: Any, **_: Any) -> None:
    """The master waits for its generators."""
    if isinstance(environment.runner, MasterRunner):
        Master(environment.runner, PARTS, environment.parsed_options.expect_workers, environment.runner.quit)


def end(environment: Any, **_: Any) -> None:
    """Print the figures."""
    if isinstance(environment.runner, WorkerRunner):
        return
    usual: dict[str, Any] = {"run_id": "bench", "release": "", "target": "", "kind": "", "profile": "bench"}
    record = LoadRecord(**usual, started_at="", seconds=SECONDS, block_seconds=1.0, **PARTS.whole())
    response, service, lag = record.latencies("one"), record.latencies("one", "service"), record.schedule_lag()
    last = max(record.done, default=0)
    found = {
        "response": [response.percentile(p) for p in PERCENTS],
        "service": [service.percentile(p) for p in PERCENTS],
        "lag_p99": lag.percentile(99),
        "late_share": record.late_share(50),
        "late_5ms_share": record.late_share(5),
        "count": response.count,
        "errors": sum(record.errors().values()),
        "dropped": record.dropped,
        # The first and the last second are not whole.
        "rate": sum(n for second, n in record.done.items() if 0 < second < last) / max(1, last - 1),
        "due": DUE_AT,
    }
    print("RESULT" + json.dumps(found), flush=True)


events.init.add_listener(begin)
events.quitting.add_listener(end)
