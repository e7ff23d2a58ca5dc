"""A plain locustfile, as people write it: users in a closed loop. Prints what it measured behind RESULT, as JSON.

Environment: BENCH_CLIENT (FastHttpUser or HttpUser), BENCH_THROUGHPUT (requests a second of each user; 0 is no pause).
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import locust
from locust import constant, constant_throughput, events, task

from load.bench import at_percents

BASE: Any = getattr(locust, os.environ["BENCH_CLIENT"])
THROUGHPUT = float(os.environ.get("BENCH_THROUGHPUT", "0"))
TIMES: list[float] = []
ENDS: list[float] = []


class Closed(BASE):  # type: ignore[misc]
    """Asks again after each answer."""

    wait_time = constant_throughput(THROUGHPUT) if THROUGHPUT else constant(0)

    @task
    def one(self) -> None:
        """One request."""
        self.client.get("/", name="one")


def seen(response_time: float, **_: Any) -> None:
    """Keep one measurement."""
    TIMES.append(response_time)
    ENDS.append(time.perf_counter())


def end(environment: Any, **_: Any) -> None:
    """Print the figures."""
    TIMES.sort()
    found = {
        "response": at_percents(TIMES),
        "count": len(TIMES),
        "rate": len(TIMES) / (ENDS[-1] - ENDS[0]) if len(ENDS) > 1 else 0.0,
    }
    print("RESULT" + json.dumps(found), flush=True)
    environment.process_exit_code = 0


events.request.add_listener(seen)
events.quitting.add_listener(end)
