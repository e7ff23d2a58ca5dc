"""Starts requests on a schedule, each in a greenlet of its own, whatever the server does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import gevent
from gevent.pool import Pool

SPIN_SECONDS = 0.0005
LEAD_SECONDS = 0.05


class OpenLoop:
    """Runs one schedule. A server that is stuck does not slow the arrivals; only `in_flight` bounds them."""

    def __init__(self, request: Callable[[float], None], in_flight: int) -> None:
        self._request = request
        self._pool = Pool(in_flight)
        self._stopped = False
        self.dropped = 0
        self.zero = 0.0

    @property
    def now(self) -> float:
        """Seconds since the schedule's zero."""
        return time.perf_counter() - self.zero

    def run(self, due: Iterable[float], stop_seconds: float, zero: float | None = None) -> None:
        """Start each request when it is due (seconds after zero), wait at most `stop_seconds` for the last answers."""
        self.zero = time.perf_counter() + LEAD_SECONDS if zero is None else zero
        for moment in due:
            self._wait_until(moment)
            if self._stopped:
                break
            if self._pool.free_count() == 0:
                self.dropped += 1
                continue
            self._pool.spawn(self._request, moment)
        self._pool.join(timeout=0 if self._stopped else stop_seconds)
        self._pool.kill()

    def stop(self) -> None:
        """Start nothing more, and wait for nothing."""
        self._stopped = True

    def _wait_until(self, moment: float) -> None:
        while not self._stopped and (left := moment - self.now) > 0:
            # The last fraction is given away in turns, because timers are coarser than schedules.
            gevent.sleep(min(left - SPIN_SECONDS, 0.5) if left > 2 * SPIN_SECONDS else 0)
