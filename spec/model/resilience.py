"""What the services promise while something that they rely on is out of order, and how that shows from outside.

All seconds are the specification's: a twin divides them by its speed-up. The drills (drills.toml) refer to these figures.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from spec.model.base import Entry, Sectioned


class CircuitRules(Entry):
    """The circuit breakers: when they open and are tried again, and where the health body shows them."""

    field: str
    # The services that the API itself calls; the worker's circuits show by what it does.
    services: list[str] = Field(min_length=1)
    states: list[str] = Field(min_length=1)
    normal_state: str
    failures_to_open: int = Field(gt=0)
    open_seconds: float = Field(gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> CircuitRules:
        if self.normal_state not in self.states:
            raise ValueError(f"normal_state: {self.normal_state!r} is no state")
        return self


class RouterRules(Entry):
    """The service router: its providers, the preferred one first, and the words for the way that an answer took."""

    providers: list[str] = Field(min_length=1)
    primary: str
    fallback: str
    none: str
    success: str


class Deadlines(Entry):
    """The longest that a call to another service may take: of a question, of the API's other requests, and of the worker."""

    question_seconds: float = Field(gt=0)
    api_seconds: float = Field(gt=0)
    worker_seconds: float = Field(gt=0)


class JobRules(Entry):
    """How jobs survive: leases of claims, dead letters, postponements and callbacks that do not come."""

    lease_seconds: float = Field(gt=0)
    # A job that has ended its worker so often is given up.
    ended_workers: int = Field(gt=0)
    longest_postponement_seconds: float = Field(gt=0)
    callback_seconds: float = Field(gt=0)


class Resilience(Sectioned):
    """§3: circuit breakers, service router, degradation manager, and what the pipeline withstands."""

    circuits: CircuitRules
    router: RouterRules
    deadlines: Deadlines
    jobs: JobRules
    # Field of the health body that names what is offered in part or not at all.
    degraded_field: str
    # How a capability is offered that this field names.
    degraded_words: list[str] = Field(min_length=1)
