"""A plain locustfile, as people write it: users in a closed loop of Fast or Plain. Prints what it measured.

The result stands behind RESULT, as JSON (load/bench/results.py).
"""

from __future__ import annotations

import time

from locust import FastHttpUser, HttpUser, constant, constant_throughput, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from load.bench.results import ClosedResult, at_percents


class Fast(FastHttpUser):
    """Asks again after each answer, over geventhttpclient."""

    @task
    def one(self) -> None:
        """One request."""
        self.client.get("/", name="one")


class Plain(HttpUser):
    """Asks again after each answer, over requests."""

    @task
    def one(self) -> None:
        """One request."""
        self.client.get("/", name="one")


def add_options(parser: LocustArgumentParser, **_: object) -> None:
    """Options of the benchmark beside Locust's own."""
    parser.add_argument("--bench-pace", type=float, default=0.0, help="requests a second of each user; 0 is no pause")


def begin(environment: Environment, **_: object) -> None:
    """Take the options, keep each measurement, and print the figures in the end."""
    assert environment.parsed_options is not None
    pace = environment.parsed_options.bench_pace
    for user_class in environment.user_classes:
        user_class.wait_time = constant_throughput(pace) if pace else constant(0)
    times: list[float] = []
    ends: list[float] = []

    def keep(response_time: float, **_: object) -> None:
        times.append(response_time)
        ends.append(time.perf_counter())

    def end(environment: Environment, **_: object) -> None:
        rate = len(times) / (ends[-1] - ends[0]) if len(ends) > 1 else 0.0
        print(ClosedResult(response=at_percents(sorted(times)), count=len(times), rate=rate).line(), flush=True)
        environment.process_exit_code = 0

    environment.events.request.add_listener(keep)
    environment.events.quitting.add_listener(end)


events.init_command_line_parser.add_listener(add_options)
events.init.add_listener(begin)
