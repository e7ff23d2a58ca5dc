"""What the host does for its services: a service that ends by itself, or breaks its limit of memory, is started again."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable

from twin.proc import usage
from twin.processes import Processes

INTERVAL_SECONDS = 0.2
# A service that ends at once is started again later each time.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
# A service that ran this long begins again with the shortest pause.
STEADY_SECONDS = 10.0
# The memory that an instance of the plan `starter` has.
MEMORY_LIMIT = 512 * 1024 * 1024


class Host:
    """Watches services in a thread of its own, from `start` to `stop`."""

    def __init__(self, processes: Processes, names: Iterable[str], start: Callable[[str], None]) -> None:
        self._processes = processes
        self._names = list(names)
        self._start = start
        self._stop = threading.Event()
        self._due: dict[str, float] = {}
        self._held: set[str] = set()
        self._lock = threading.RLock()
        self._pauses: dict[str, float] = {}
        # A process gets a signal when the thread that started it ends, so this one lives as long as the twin.
        self._thread = threading.Thread(target=self._watch, name="host", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the services to others."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def watch(self, name: str) -> None:
        """Take care of one more service."""
        with self._lock:
            self._names.append(name)

    def forget(self, name: str) -> None:
        """Take care of a service no longer."""
        with self._lock:
            self._due.pop(name, None)
            if name in self._names:
                self._names.remove(name)

    def hold(self, name: str) -> None:
        """Leave a service as it is, until it is released."""
        with self._lock:
            self._held.add(name)

    def release(self, name: str) -> None:
        """Take care of a service again; one that has ended is started at once."""
        with self._lock:
            self._held.discard(name)
            if not self._stop.is_set() and self._processes.has_ended(name):
                if self._due.pop(name, None) is None:
                    self._processes.note_death(name)
                self._start(name)
            self._pauses.pop(name, None)

    def _watch(self) -> None:
        while not self._stop.wait(INTERVAL_SECONDS):
            for name in list(self._names):
                with self._lock:
                    if name in self._names and name not in self._held:
                        self._look_at(name)

    def _look_at(self, name: str) -> None:
        now = time.monotonic()
        if (due := self._due.get(name)) is not None:
            if now >= due:
                del self._due[name]
                self._start(name)
            return
        limit = 0.0
        used = usage(self._processes.pid(name))
        if used is not None and used[1] > MEMORY_LIMIT:
            self._processes.kill(name, signal.SIGKILL)
            limit = MEMORY_LIMIT
        if (age := self._processes.note_death(name, limit)) is None:
            return
        pause = FIRST_PAUSE if age > STEADY_SECONDS else self._pauses.get(name, FIRST_PAUSE)
        self._due[name], self._pauses[name] = now + pause, min(2 * pause, LONGEST_PAUSE)
