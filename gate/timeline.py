"""What the platform knows about the time of a failure: what is wanted of it, and what it returned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from gate.failures import Exchange

Kind = Literal["log", "status", "deploy", "event"]


@dataclass(frozen=True)
class Wanted:
    """What is looked for about one finding; times are seconds since 1970.

    `component` is the part at fault, `exchanges` are the requests in which it was seen, `first` and `last` the time in which
    its checks ran; `of_jobs`: it shows in what becomes of documents.
    """

    component: str
    exchanges: tuple[Exchange, ...]
    first: float
    last: float
    of_jobs: bool = False


@dataclass(frozen=True)
class TimelineEntry:
    """One thing that happened, in its source's own words.

    `time` is in ISO 8601, `source` the service, job or platform that it comes from, `level` that of a log line. `count` is how
    often it happened; `tells`: of all entries of a finding this one shows the cause.
    """

    time: str
    source: str
    kind: Kind
    text: str
    level: str = ""
    count: int = 1
    tells: bool = False


@dataclass(frozen=True)
class PlatformSeen:
    """A timeline for each wanted finding, in their order; `note` says what could not be seen, and why."""

    timelines: Sequence[Sequence[TimelineEntry]] = field(default_factory=list)
    note: str = ""
