"""Starts requests on a schedule, each in a greenlet of its own, and measures from the moment each should have started."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import gevent
from gevent.pool import Pool

from load.histogram import Latencies

SPIN_SECONDS = 0.0005
LEAD_SECONDS = 0.05
# Behind the schedule by more than this for more than this share of the requests, the generator did not keep up.
LATE_MS = 50.0
LATE_SHARE = 0.01


@dataclass
class Measured:
    """What one generator saw. `response` counts from the schedule, `service` from the real start, `lag` between both."""

    response: Latencies = field(default_factory=Latencies)
    service: Latencies = field(default_factory=Latencies)
    lag: Latencies = field(default_factory=Latencies)
    late: int = 0
    dropped: int = 0

    @property
    def is_valid(self) -> bool:
        """False when the generator itself could not keep up, so that its figures speak of itself."""
        return self.dropped == 0 and self.late <= LATE_SHARE * max(1, self.lag.count)


class OpenLoop:
    """Runs one schedule. A server that is stuck does not slow the arrivals; only `in_flight` bounds them."""

    def __init__(self, request: Callable[[float], None], in_flight: int) -> None:
        self._request = request
        self._pool = Pool(in_flight)
        self.measured = Measured()

    def run(self, due: Iterable[float], stop_seconds: float) -> Measured:
        """Start each request when it is due (seconds from now), wait at most `stop_seconds` for the last answers."""
        zero = time.perf_counter() + LEAD_SECONDS
        for moment in due:
            intended = zero + moment
            self._wait_until(intended)
            if self._pool.free_count() == 0:
                self.measured.dropped += 1
                continue
            self._pool.spawn(self._one, intended)
        self._pool.join(timeout=stop_seconds)
        self._pool.kill()
        return self.measured

    @staticmethod
    def _wait_until(moment: float) -> None:
        while (left := moment - time.perf_counter()) > 0:
            # The last fraction is given away in turns, because timers are coarser than schedules.
            gevent.sleep(left - SPIN_SECONDS if left > 2 * SPIN_SECONDS else 0)

    def _one(self, intended: float) -> None:
        started = time.perf_counter()
        try:
            self._request(intended)
        finally:
            ended = time.perf_counter()
            lag = max(0.0, started - intended) * 1000
            self.measured.lag.record(lag)
            self.measured.late += lag > LATE_MS
            self.measured.service.record((ended - started) * 1000)
            self.measured.response.record((ended - intended) * 1000)
