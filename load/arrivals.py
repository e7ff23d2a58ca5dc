"""When requests should start: schedules of open arrivals, independent of how the server is doing."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator

from spec.model import Segment


def _time_of(arrival: float, segment: Segment) -> float:
    """Seconds into a segment at which its n-th arrival (a real number) falls due, for a rate that changes evenly."""
    end = segment.to_rate if segment.to_rate is not None else segment.rate
    slope = (end - segment.rate) / segment.seconds
    if abs(slope) < 1e-12:
        return arrival / segment.rate
    return (-segment.rate + math.sqrt(max(0.0, segment.rate**2 + 2 * slope * arrival))) / slope


def schedule(segments: Iterable[Segment], seed: int = 0, share: int = 0, of: int = 1) -> Iterator[float]:
    """Seconds at which requests fall due; with `of` generators, each takes every `of`-th one from its `share` on."""
    chance = random.Random(seed)
    offset, number = 0.0, 0
    for segment in segments:
        end = segment.to_rate if segment.to_rate is not None else segment.rate
        total = (segment.rate + end) / 2 * segment.seconds
        arrival = chance.expovariate(1.0) if segment.arrivals == "poisson" else 0.0
        while arrival < total:
            if number % of == share:
                yield offset + _time_of(arrival, segment)
            number += 1
            arrival += chance.expovariate(1.0) if segment.arrivals == "poisson" else 1.0
        offset += segment.seconds
