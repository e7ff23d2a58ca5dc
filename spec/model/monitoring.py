"""§5 Staging Service Monitoring: figures of the platform and of the database, and the bounds that they are held to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from spec.model.base import Entry, Sectioned

WindowName = Literal["run", "day", "now"]


class Bound(Sectioned):
    """The bound of one figure; the unit is for people. A figure made of fewer samples than `fewest` is not judged."""

    unit: str
    at_most: float | None = None
    at_least: float | None = None
    fewest: int = Field(default=1, ge=1)
    # The times over which it is judged: from the beginning of the run, the last day, or the moment.
    windows: list[WindowName] = Field(default=["now"], min_length=1)

    @model_validator(mode="after")
    def _one_bound(self) -> Bound:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("one of at_most and at_least is needed")
        return self

    def holds(self, value: float) -> bool:
        """Whether a value keeps the bound."""
        return value <= self.at_most if self.at_most is not None else value >= (self.at_least or 0.0)


class Events(Entry):
    """The platform's words for what happens to a service."""

    failed: list[str]
    deploy_started: str
    deploy_ended: str
    # A deploy that ends so soon after the run's start is the one that the run judges.
    deploy_slack_seconds: float = Field(default=30.0, ge=0)
    # A deploy takes no longer than this: one that began earlier, and of which no end is listed, has ended.
    deploy_most_seconds: float = Field(default=7200.0, gt=0)
    # Where an event of the first kind names its reason, and the key in it that stands for memory.
    reason: str
    out_of_memory: str
    # The key for an end without an error, and the option of a start command after how many requests a service ends so; it gets
    # no more than these in a second.
    early_exit: str
    limit_option: str
    most_requests_per_second: float = Field(gt=0)


class Observation(Entry):
    """How a run watches: for so many seconds it asks an endpoint so often, and the database in between."""

    seconds: float = Field(gt=0)
    requests_per_second: float = Field(gt=0)
    endpoint: str
    statistics_every_seconds: float = Field(gt=0)


class Resolution(Entry):
    """Seconds between two values of a series, over the run and over the last day."""

    run_seconds: float = Field(gt=0)
    # A run that is shorter than so many values is looked at together with the time before it.
    run_moments: int = Field(gt=0)
    day_seconds: float = Field(gt=0)
    # What an instance uses while it starts says nothing of how it goes on.
    warm_up_seconds: float = Field(ge=0)


class Statements(Entry):
    """Where the database keeps figures of its statements, and which of those are nobody's business."""

    view: str
    ignored: list[str]


class QueueRule(Entry):
    """How the past of the queue is looked at: so many moments within so many seconds."""

    seconds: float = Field(gt=0)
    moments: int = Field(gt=2)


class Figures(Sectioned):
    """§5: what is watched, by the figure's name."""

    # A rise counts where this share of all pairs of values agrees on it.
    agreement: float = Field(gt=0, le=1)
    observation: Observation
    resolution: Resolution
    events: Events
    statements: Statements
    queue: QueueRule
    services: dict[str, Bound]
    database: dict[str, Bound]
