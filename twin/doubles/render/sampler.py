"""What the twin's services use, sampled from their processes for as long as the double runs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twin import pids
from twin.doubles.render.description import API, WORKER
from twin.proc import usage

INTERVAL_SECONDS = 1.0
# An hour of them.
MOST = 3600


@dataclass(frozen=True)
class Sample:
    """One moment of one instance: processors in use since the sample before it, and bytes of memory."""

    at: float
    processors: float
    memory: int


@dataclass(frozen=True)
class Instance:
    """A process of a service; `ended` is 0 while it runs."""

    id: str
    pid: int
    started: float
    ended: float = 0.0
    code: int = 0
    memory_limit: float = 0.0


def service_of(name: str) -> str:
    """The service that a process belongs to by its name; empty for one of the twin's own."""
    return API if name == "api" else WORKER if name.startswith("worker") else ""


def instances(folder: Path, service: str) -> list[Instance]:
    """All instances that a service had, the oldest first."""
    found = []
    for name, entry in pids.read(folder).items():
        if service_of(name) != service:
            continue
        for life in entry["lives"]:
            times = life["started"], life["ended"]
            found.append(Instance(_name(service, life["pid"]), life["pid"], *times, life["code"], life["memory_limit"]))
        if entry["pid"]:
            found.append(Instance(_name(service, entry["pid"]), entry["pid"], entry["started"]))
    return sorted(found, key=lambda instance: instance.started)


def running(folder: Path, service: str) -> list[Instance]:
    """The instances that run now."""
    return [instance for instance in instances(folder, service) if not instance.ended]


def _name(service: str, pid: int) -> str:
    return f"{service}-{pid:05x}"


class Sampler:
    """Samples by instance, and how many instances ran, of both services."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._samples: dict[str, dict[str, deque[Sample]]] = {API: {}, WORKER: {}}
        self._counts: dict[str, deque[tuple[float, int]]] = {API: deque(maxlen=MOST), WORKER: deque(maxlen=MOST)}
        self._last: dict[int, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Sample in a thread of its own from now on."""
        threading.Thread(target=self._run, name="sampler", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.sample()
            time.sleep(INTERVAL_SECONDS)

    def sample(self) -> None:
        """Take one sample of every instance."""
        for service in self._samples:
            alive = 0
            for instance in running(self._folder, service):
                now, used = time.time(), usage(instance.pid)
                if used is None:
                    continue
                alive += 1
                began, before = self._last.get(instance.pid, (now, used[0]))
                self._last[instance.pid] = now, used[0]
                share = (used[0] - before) / (now - began) if now > began else 0.0
                with self._lock:
                    kept = self._samples[service].setdefault(instance.id, deque(maxlen=MOST))
                    kept.append(Sample(now, max(0.0, share), used[1]))
            with self._lock:
                if self._counts[service] or alive:
                    self._counts[service].append((time.time(), alive))

    def began(self, service: str) -> float | None:
        """When the first sample of a service was taken; None where there is none."""
        with self._lock:
            counts = self._counts.get(service)
            return counts[0][0] if counts else None

    def of(self, service: str) -> Iterator[tuple[str, list[Sample]]]:
        """The samples of each instance."""
        with self._lock:
            kept = {name: list(samples) for name, samples in self._samples.get(service, {}).items()}
        return iter(kept.items())

    def counts(self, service: str) -> list[tuple[float, int]]:
        """How many instances ran at each moment."""
        with self._lock:
            return list(self._counts.get(service, ()))
