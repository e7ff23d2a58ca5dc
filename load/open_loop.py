"""Starts requests on a schedule, no matter how the server behaves."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

import gevent
from gevent.queue import SimpleQueue

log = logging.getLogger(__name__)
SPIN_SECONDS = 0.0005
# Arrivals closer than this are a high rate.
CLOSE_SECONDS = 0.001
LEAD_SECONDS = 0.05
DRAIN_SECONDS = 0.02


class OpenLoop:
    """Runs one schedule. A server that is stuck does not slow the arrivals; only `in_flight` bounds them.

    Greenlets that have finished a request take the next one, so that a rate costs no more greenlets than are waiting at once.
    """

    def __init__(self, request: Callable[[float], None], in_flight: int) -> None:
        self._request = request
        self._in_flight = in_flight
        self._work: SimpleQueue[float] = SimpleQueue()
        self._workers: list[gevent.Greenlet] = []
        self._idle = 0
        self._done = 0
        self._stopped = False
        self._last = 0.0
        self.dropped = 0
        self.zero = 0.0

    @property
    def now(self) -> float:
        """Seconds since the schedule's zero."""
        return time.perf_counter() - self.zero

    def run(self, due: Iterable[float], stop_seconds: float, zero: float | None = None) -> None:
        """Start each request when it is due (seconds after zero), wait at most `stop_seconds` for the last answers."""
        self.zero = time.perf_counter() + LEAD_SECONDS if zero is None else zero
        try:
            self._drain(self._start_all(due), stop_seconds)
        finally:
            # Also when the run is ended early: nothing may be sent any more.
            gevent.killall(self._workers)

    def _start_all(self, due: Iterable[float]) -> int:
        """Start each request when it is due; returns how many were started."""
        sent = 0
        for moment in due:
            self._wait_until(moment)
            if self._stopped:
                break
            if self._idle > 0:
                self._idle -= 1
            elif len(self._workers) < self._in_flight:
                self._workers.append(gevent.spawn(self._serve))
            else:
                self.dropped += 1
                continue
            sent += 1
            self._work.put(moment)
        return sent

    def stop(self) -> None:
        """Start nothing more, and wait for nothing."""
        self._stopped = True

    def _serve(self) -> None:
        while True:
            moment = self._work.get()
            try:
                self._request(moment)
            except Exception:
                # One request that breaks the task itself must not take a place away from the next.
                log.exception("a task of the load raised an error")
            self._done += 1
            self._idle += 1

    def _drain(self, sent: int, seconds: float) -> None:
        deadline = time.perf_counter() + seconds
        while self._done < sent and time.perf_counter() < deadline and not self._stopped:
            gevent.sleep(DRAIN_SECONDS)

    def _wait_until(self, moment: float) -> None:
        # At a high rate the arrivals of a millisecond start together: to wait for each would cost as much as the requests.
        spin = SPIN_SECONDS if moment - self._last > CLOSE_SECONDS else 0.0
        self._last = moment
        while not self._stopped and (left := moment - self.now) > 0:
            # The last fraction is given away in turns, because timers are coarser than schedules.
            gevent.sleep(min(left - spin, 0.5) if left > 2 * spin else 0)
