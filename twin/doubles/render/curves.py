"""Figures of the time before the twin began: made up from the time alone, so that the same question gets the same answer."""

from __future__ import annotations

import math
from collections.abc import Callable

Curve = Callable[[float], float]
# Unit and value of each metric at a time.
CURVES: dict[str, tuple[str, Curve]] = {
    "cpu": ("cpu", lambda t: round(0.1 + 0.05 * math.sin(t / 600), 4)),
    "cpu-limit": ("cpu", lambda t: 0.5),
    "cpu-target": ("cpu", lambda t: 0.35),
    "memory": ("bytes", lambda t: round(2e8 + 1e7 * math.sin(t / 900))),
    "memory-limit": ("bytes", lambda t: 536870912.0),
    "memory-target": ("bytes", lambda t: 375809638.0),
    "http-requests": ("requests", lambda t: round(20 + 10 * math.sin(t / 300))),
    "http-latency": ("ms", lambda t: round(40 + 10 * math.sin(t / 300), 2)),
    "bandwidth": ("mb", lambda t: round(5 + math.sin(t / 300), 3)),
    "instance-count": ("instances", lambda t: 1.0),
    "active-connections": ("connections", lambda t: 4.0),
    "replication-lag": ("seconds", lambda t: 0.0),
    "disk-usage": ("bytes", lambda t: 1e8),
    "disk-capacity": ("bytes", lambda t: 1e9),
    "task-runs-queued": ("tasks", lambda t: 0.0),
    "task-runs-completed": ("tasks", lambda t: 0.0),
}


def constant(value: float) -> Curve:
    """The same at every time."""
    return lambda _: value
