"""A locustfile of open arrivals against any URL, on the same machinery as load/locustfile.py; prints what it measured.

The result stands behind RESULT, as JSON (load/bench/results.py).
"""

from __future__ import annotations

import time

import gevent
from locust import FastHttpUser, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from load.arrivals import schedule
from load.bench.results import OpenResult, open_result
from load.generators import Generator, Master
from load.internals.locust_ import run_only
from load.open_loop import OpenLoop
from load.record import Parts
from load.recorder import Recorder
from spec.model import Segment

IN_FLIGHT = 4000
PATIENCE_SECONDS = 20.0
LEAD_SECONDS = 0.1


class Bench:
    """What one process of the benchmark measures."""

    def __init__(self, rate: float, seconds: float, numbered: bool) -> None:
        self.rate = rate
        self.seconds = seconds
        self.numbered = numbered
        self.parts = Parts()
        self.recorder = Recorder(block_seconds=1.0)
        self.due_at: dict[int, float] = {}
        self.has_run = False

    def result(self) -> OpenResult:
        """What all generators measured."""
        return open_result(self.parts.whole(), self.seconds, self.due_at)


class Arrivals(FastHttpUser):
    """Everybody who arrives."""

    concurrency = IN_FLIGHT
    bench: Bench
    zero = 0.0
    wall = 0.0

    @task
    def everybody(self) -> None:
        """This generator's share, once."""
        bench, runner = self.bench, self.environment.runner
        if bench.has_run or runner is None:
            gevent.sleep(1)
            return
        bench.has_run = True
        generator = Generator(runner, bench.parts)
        zero, share, of = generator.begin()
        self.zero = zero if zero is not None else time.perf_counter() + LEAD_SECONDS
        self.wall = time.time() - time.perf_counter() + self.zero
        due = list(schedule([Segment(seconds=bench.seconds, rate=bench.rate, arrivals="constant")], 0, share, of))
        loop = OpenLoop(self.one, IN_FLIGHT)
        self.client.get("/begin", name="begin")
        loop.run(due, PATIENCE_SECONDS, self.zero)
        bench.recorder.abandon(loop.now)
        bench.recorder.dropped = loop.dropped
        generator.report(bench.recorder.part(), is_last=True)
        if not isinstance(runner, WorkerRunner):
            runner.quit()

    def one(self, due: float) -> None:
        """One request."""
        bench = self.bench
        started = time.perf_counter() - self.zero
        number = bench.recorder.begin("one", due, started)
        if bench.numbered:
            bench.due_at[number] = self.wall + due
        reply = self.client.get(f"/?{number}" if bench.numbered else "/", name="one")
        ended = time.perf_counter() - self.zero
        problem = None if reply.status_code == 200 else f"{reply.status_code} instead of 200"
        bench.recorder.end(number, ended, (ended - started) * 1000, problem)


def add_options(parser: LocustArgumentParser, **_: object) -> None:
    """Options of the benchmark beside Locust's own."""
    parser.add_argument("--bench-rate", type=float, required=True, help="requests a second")
    parser.add_argument("--bench-seconds", type=float, required=True, help="length of the schedule")
    parser.add_argument("--bench-numbered", action="store_true", help="number the requests, and print when each was due")


def begin(environment: Environment, **_: object) -> None:
    """Take the options; the master waits for its generators, and prints the figures in the end."""
    options, runner = environment.parsed_options, environment.runner
    assert options is not None
    bench = Bench(options.bench_rate, options.bench_seconds, options.bench_numbered)
    run_only(environment, type("Arrivals", (Arrivals,), {"bench": bench}))
    if isinstance(runner, MasterRunner):
        Master(runner, bench.parts, options.expect_workers, runner.quit)
    if not isinstance(runner, WorkerRunner):
        environment.events.quitting.add_listener(lambda **_: print(bench.result().line(), flush=True))


events.init_command_line_parser.add_listener(add_options)
events.init.add_listener(begin)
