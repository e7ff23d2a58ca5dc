"""Load on the services: who, what, how much, and what it is held to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from spec.model.base import Entry, Sectioned


class Segment(Entry):
    """A part of a load schedule: arrivals a second, even or at random, rising or falling to `to_rate` where given."""

    seconds: float = Field(gt=0)
    rate: float = Field(gt=0)
    to_rate: float | None = Field(default=None, gt=0)
    arrivals: Literal["constant", "poisson"] = "poisson"


class LoadTask(Entry):
    """A task of the load: its weight among the others, the target that it is held to, and further bounds (milliseconds)."""

    weight: int = Field(gt=0)
    target: str
    p50_ms: float | None = Field(default=None, gt=0)
    p99_ms: float | None = Field(default=None, gt=0)


class Profile(Entry):
    """A load schedule; `tasks` are weights of its own, where it is not the mixed day."""

    segments: list[Segment] = Field(min_length=1)
    tasks: dict[str, int] = Field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Length of the schedule."""
        return sum(segment.seconds for segment in self.segments)

    def scaled(self, seconds: float | None = None, rate: float = 1.0) -> Profile:
        """The same shape over another length (seconds), its rates multiplied."""
        stretch = 1.0 if seconds is None else seconds / self.seconds
        segments = [
            segment.model_copy(
                update={
                    "seconds": segment.seconds * stretch,
                    "rate": segment.rate * rate,
                    "to_rate": None if segment.to_rate is None else segment.to_rate * rate,
                }
            )
            for segment in self.segments
        ]
        return self.model_copy(update={"segments": segments})


class LoadThresholds(Entry):
    """What a load run is held to beside the response times."""

    late_ms: float = Field(gt=0)
    late_share: float = Field(gt=0, lt=1)
    p99_samples: int = Field(gt=0)
    p95_samples: int = Field(gt=0)
    job_age_seconds: float = Field(gt=0)
    jobs_done_share: float = Field(gt=0, le=1)
    drain_seconds: float = Field(gt=0)
    connections_share: float = Field(gt=0, le=1)
    abort_seconds: float = Field(gt=0)
    look_seconds: float = Field(gt=0)


class Regression(Entry):
    """How two releases are compared: ratios of percentiles, with an interval of this confidence.

    `margin` is the ratio below which a difference does not count; `run_spread` the standard deviation (of the logarithm of a
    percentile) between two runs of one release, taken until the history holds enough runs to compute it.
    """

    profile: str
    profiles: list[str] = Field(min_length=1)
    percentiles: list[float] = Field(min_length=1)
    confidence: float = Field(gt=0.5, lt=1)
    margin: float = Field(ge=1)
    clear: float = Field(gt=1)
    minimum_samples: int = Field(gt=0)
    minimum_blocks: int = Field(gt=1)
    resamples: int = Field(gt=99)
    run_spread: float = Field(gt=0)
    runs_to_tell: int = Field(gt=1)
    repeats: int = Field(gt=0)


class Stress(Entry):
    """The search for the knee: arrivals a second of the first step, growth from step to step, and when to stop."""

    first_rate: float = Field(gt=0)
    last_rate: float = Field(gt=0)
    growth: float = Field(gt=1)
    step_seconds: float = Field(gt=0)
    precision: float = Field(gt=0, lt=1)


class WorkerLoad(Entry):
    """Documents sent at once, step by step; the worker's throughput is linear within this tolerance."""

    parallel: list[int] = Field(min_length=2)
    documents: int = Field(gt=0)
    tolerance: float = Field(gt=0, lt=1)


class Load(Sectioned):
    """Load on the services: who, what, how much, and what it is held to."""

    users: int = Field(gt=0)
    in_flight: int = Field(gt=0)
    seed: int
    pause_seconds: tuple[float, float]
    block_seconds: float = Field(gt=0)
    gate_profile: str
    thresholds: LoadThresholds
    regression: Regression
    stress: Stress
    worker: WorkerLoad
    tasks: dict[str, LoadTask]
    profiles: dict[str, Profile]

    @model_validator(mode="after")
    def _names_exist(self) -> Load:
        for name, profile in self.profiles.items():
            if unknown := profile.tasks.keys() - self.tasks.keys():
                raise ValueError(f"profiles.{name}.tasks: {', '.join(sorted(unknown))} is no task")
        for name in (self.gate_profile, self.regression.profile, *self.regression.profiles):
            if name not in self.profiles:
                raise ValueError(f"{name} is no profile")
        return self

    def weights(self, profile: Profile) -> dict[str, int]:
        """Tasks of a profile with their weights."""
        return profile.tasks or {name: task.weight for name, task in self.tasks.items()}
