"""One load run as it is stored: a line of JSON with histograms, release, target and profile."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from gate import places
from gate.settings import ConfigurationError
from load.histogram import Latencies

HISTORY = places.HISTORY / "loads.jsonl"
LATEST = "last"
# What is asked of a healthy twin beside the target is no task of the target.
BESIDE = "beside:"


class BlockRecord(BaseModel):
    """Requests of one task that were due in one block of the schedule; histograms of milliseconds, encoded."""

    task: str
    block: int
    response: str
    service: str
    errors: dict[str, int] = Field(default_factory=dict)


class Sample(BaseModel):
    """A probe of the target beside the load: seconds since the schedule's zero, jobs of this run, connections."""

    at: float
    connections: int | None = None
    connections_allowed: int | None = None
    queue: int | None = None
    oldest_seconds: float | None = None


class Documents(BaseModel):
    """What became of the documents that the run uploaded; times in seconds, from the upload to the end."""

    uploaded: int = 0
    done: int = 0
    failed: int = 0
    per_minute: float = 0.0
    seconds: list[float] = Field(default_factory=list)
    stages: dict[str, list[float]] = Field(default_factory=dict)


class LostWorker(BaseModel):
    """A generator that went away: what it had measured since its last report is missing."""

    name: str
    at: float


class Part(BaseModel):
    """What one generator measured, or all of them together: counts and latest starts (milliseconds) by block."""

    blocks: list[BlockRecord] = Field(default_factory=list)
    done: dict[int, int] = Field(default_factory=dict)
    lag: str = ""
    lag_by_block: dict[int, float] = Field(default_factory=dict)
    dropped: int = 0


class LoadRecord(Part):
    """A whole run."""

    run_id: str
    release: str
    target: str
    kind: str
    faults: list[str] = Field(default_factory=list)
    profile: str
    started_at: str
    seconds: float
    block_seconds: float
    workers: int = 1
    due: dict[int, int] = Field(default_factory=dict)
    lost: list[LostWorker] = Field(default_factory=list)
    aborted: str = ""
    samples: list[Sample] = Field(default_factory=list)
    documents: Documents = Field(default_factory=Documents)
    verdict: Literal["pass", "fail", "blocked", "invalid", ""] = ""

    def tasks(self) -> list[str]:
        """Names of the tasks that were asked, in order of their first request."""
        return list(dict.fromkeys(block.task for block in self.blocks if not block.task.startswith(BESIDE)))

    @cached_property
    def _merged(self) -> dict[tuple[str, str], Latencies]:
        found: dict[tuple[str, str], Latencies] = defaultdict(Latencies)
        for block in self.blocks:
            for kind in ("response", "service"):
                found[block.task, kind].merge(Latencies(getattr(block, kind)))
        return found

    def latencies(self, task: str, kind: Literal["response", "service"] = "response") -> Latencies:
        """The distribution of one task: from the schedule (response) or from the real start (service)."""
        return self._merged[task, kind]

    def schedule_lag(self) -> Latencies:
        """How far behind the schedule the requests started."""
        return Latencies(self.lag or None)

    def errors(self, task: str | None = None) -> Counter[str]:
        """Failures by kind, of one task or of all."""
        found: Counter[str] = Counter()
        for block in self.blocks:
            if task in (None, block.task) and not block.task.startswith(BESIDE):
                found.update(block.errors)
        return found

    @property
    def requests(self) -> int:
        """All requests that were started."""
        return sum(self.latencies(task).count for task in self.tasks())

    @property
    def error_share(self) -> float:
        """Failed requests out of all; 1 where there were none."""
        return sum(self.errors().values()) / self.requests if self.requests else 1.0

    def late_share(self, late_ms: float) -> float:
        """Share of the requests that started later than this after they were due."""
        lag = self.schedule_lag()
        return sum(count for value, count in lag.values() if value > late_ms) / lag.count if lag.count else 0.0

    def generator_facts(self) -> dict[str, object]:
        """How well the generators kept up: p99 of the lateness, requests left out, generators lost."""
        late = round(self.schedule_lag().percentile(99), 1) if self.requests else 0.0
        return {"late_ms": late, "dropped": self.dropped, "lost": len(self.lost)}


class Parts:
    """Adds up what the generators report; a block that is reported again replaces the one before of the same generator."""

    def __init__(self) -> None:
        self._latest: dict[str, Part] = {}
        self._blocks: dict[tuple[str, int], dict[str, BlockRecord]] = defaultdict(dict)

    def add(self, generator: str, part: Part) -> None:
        """Take a report of one generator."""
        self._latest[generator] = part
        for block in part.blocks:
            self._blocks[block.task, block.block][generator] = block

    def whole(self) -> Part:
        """The sum of all reports."""
        done: Counter[int] = Counter()
        lags: dict[int, float] = {}
        for part in self._latest.values():
            done.update(part.done)
            for index, value in part.lag_by_block.items():
                lags[index] = max(lags.get(index, 0.0), value)
        return Part(
            blocks=[_sum(list(blocks.values())) for _, blocks in sorted(self._blocks.items())],
            done=dict(sorted(done.items())),
            lag=Latencies.merged(part.lag for part in self._latest.values()).encode(),
            lag_by_block=dict(sorted(lags.items())),
            dropped=sum(part.dropped for part in self._latest.values()),
        )


def _sum(parts: list[BlockRecord]) -> BlockRecord:
    first, *others = parts
    if not others:
        return first
    errors: Counter[str] = Counter()
    for part in parts:
        errors.update(part.errors)
    response = Latencies.merged(part.response for part in parts).encode()
    service = Latencies.merged(part.service for part in parts).encode()
    return BlockRecord(task=first.task, block=first.block, response=response, service=service, errors=dict(errors))


def store(record: LoadRecord, path: Path = HISTORY) -> None:
    """Append one line to the history."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(record.model_dump_json() + "\n")


def read(path: Path) -> list[LoadRecord]:
    """All runs of a history, oldest first; raises ConfigurationError naming the line that cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read ({type(error).__name__})") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(LoadRecord.model_validate(json.loads(line)))
        except (ValueError, ValidationError) as error:
            raise ConfigurationError(f"{path}, line {number}: not a stored load run ({type(error).__name__})") from error
    return found


def baseline(which: str, profile: str, target: str, release: str, history: Path = HISTORY) -> list[LoadRecord]:
    """The runs of a baseline: `last` release (none at the very first time), a FILE or a RELEASE.

    Raises ConfigurationError when a FILE or RELEASE that was named has no run to compare with.
    """
    path = Path(which)
    from_file = which != LATEST and path.is_file()
    if not from_file and not history.is_file():
        if which == LATEST:
            return []
        raise ConfigurationError(f"--baseline {which}: no such file, and no run is stored yet in {history}")
    stored = [run for run in read(path if from_file else history) if run.profile == profile and run.verdict in ("pass", "fail")]
    if not from_file:
        stored = [run for run in stored if run.target == target and not run.faults]
    if which == LATEST:
        # The last release is the one before the release under test; where nothing else is stored, the same one's runs.
        earlier = [run for run in stored if run.release != release] or stored
        stored = [run for run in earlier if run.release == earlier[-1].release]
    elif not from_file:
        stored = [run for run in stored if run.release.startswith(which)]
    if not stored and which != LATEST:
        raise ConfigurationError(f"--baseline {which}: no stored run of profile {profile} on target {target}")
    return stored


def releases(runs: Iterable[LoadRecord]) -> str:
    """The releases of some runs in a few characters each."""
    return ", ".join(dict.fromkeys(run.release[:12] for run in runs))
