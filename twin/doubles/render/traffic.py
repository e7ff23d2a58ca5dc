"""The requests that the twin's API served, as its log names them; none of an API that logs none."""

from __future__ import annotations

from dataclasses import dataclass

from twin.doubles.render.description import API
from twin.doubles.render.log_files import REQUEST, LogFiles


@dataclass(frozen=True)
class Served:
    """One request; `milliseconds` until its response was complete."""

    at: float
    path: str
    status: int
    milliseconds: float


def served(files: LogFiles) -> list[Served]:
    """All requests so far."""
    lines = [line for _, found in files.of(API) for line in found]
    matched = [(line.at.timestamp(), match) for line in lines if (match := REQUEST.search(line.text)) is not None]
    return [Served(at, match["path"], int(match["status"]), float(match["spent"])) for at, match in matched]
