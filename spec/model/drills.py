"""Drills: what is broken on purpose, what is done meanwhile, and what is promised all the same.

All seconds are the specification's: a twin divides them by its speed-up, except the seconds by which a clock is off and the
grace, which machines and networks take at any speed.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from spec.model.base import Entry, Sectioned
from spec.model.drill_actions import Action, Ask, Documents, SendCallback

# Kinds of disturbances whose seconds stay as they are.
UNDIVIDED = ("clock",)


class Break(Entry):
    """One disturbance, in the words of the twin's control API."""

    kind: Literal["link", "vendor", "callback", "process", "database", "clock"]
    target: str | None = None
    source: str | None = None
    how: str | None = None
    seconds: float | None = None
    retry_after: float | None = None
    # Of a vendor: the beginning of the paths, the method, and how many requests, that are disturbed; `every`: one of so many,
    # `spared`: all but one of so many, the last of them each time.
    only: str | None = None
    method: str | None = None
    first: int | None = None
    every: int | None = Field(default=None, gt=0)
    spared: int | None = Field(default=None, gt=1)
    # Of a database: connections that are left, and whether those end that there are.
    free: int | None = None
    drop: bool | None = None
    # Of a process: the status of the job at which it happens, and at which of the database's answers to the worker (the first).
    when_status: str | None = None
    step: int | None = Field(default=None, gt=0)
    # Only while the job of the drill's first document is worked on.
    of_first_document: bool = False
    # Begins so long after what was done before, or when the disturbance before it has struck so often.
    pause: float = Field(default=0, ge=0)
    after_strikes: int = Field(default=0, ge=0)

    def options(self, speedup: float) -> dict[str, Any]:
        """What the control API takes; a clock's seconds stay as they are."""
        divided = 1.0 if self.kind in UNDIVIDED else speedup
        given = {
            "kind": self.kind,
            "target": self.target,
            "source": self.source,
            "how": self.how,
            "seconds": None if self.seconds is None else self.seconds / divided,
            "retry_after": None if self.retry_after is None else self.retry_after / divided,
            "only": self.only,
            "method": self.method,
            "first": self.first,
            "every": self.every,
            "spared": self.spared,
            "free": self.free,
            "drop": self.drop,
            "when_status": self.when_status,
            "step": self.step,
        }
        return {name: value for name, value in given.items() if value is not None}


Kept = Literal[
    "circuit_opens",
    "circuit_closes",
    "circuit_stays_closed",
    "one_trial",
    "refuses_at_once",
    "honest",
    "answered",
    "ends_in_time",
    "uploads_end_in_time",
    "responds",
    "complete",
    "not_held_up",
    "accepted",
    "attempts_unused",
    "once",
    "own_text",
    "forgeries_refused",
    "callbacks_accepted",
    "gives_up",
    "says_degraded",
    "capability",
    "stays_up",
    "no_flood",
    "leaves_alone",
    "backs_off",
    "called_once",
    "handed_over_once",
]


class Promise(Entry):
    """What holds while something is broken, or soon after; each kind of promise has one protection behind it.

    circuit_opens      the circuit of `service` opens after `count` failures in a row
    circuit_closes     it closes again within `seconds` of the end of the disturbance
    circuit_stays_closed  no look shows the circuit of `service` open, since no `count` failures come in a row
    one_trial          once a look shows the circuit of `service` half open, no two calls are less than `seconds` apart
    refuses_at_once    a question asked while it is open, or after `count` others have ended, ends within `seconds`
    honest             each answer is grounded in the reader's document, or says that it is none
    answered           each question is answered, by `provider` over `route` where these are given; with `afterwards` those
                       that are asked when the disturbance has ended
    ends_in_time       each question ends within `seconds`
    uploads_end_in_time  each request for an upload ends within `seconds`
    responds           each request of the drill has one of `statuses`, where `0` is no response
    complete           each document that was accepted is complete within `seconds` of the end of the disturbance;
                       without seconds: before it
    not_held_up        each document is complete before the disturbance ends: a call that hangs is given back
    accepted           each document that was sent was accepted, if not at once, then when it was sent again
    attempts_unused    no attempt of a job counts against its retries
    once               no step of a job is done twice, and none is undone
    own_text           each document that is complete has chunks of its own text
    forgeries_refused  each forged callback has one of `statuses`, and changes nothing
    callbacks_accepted each callback that is signed has one of `statuses`
    gives_up           a job that kills its worker or fails each time ends as a dead letter within `seconds`, and no other
    says_degraded      /health says so within `seconds`, and names one of `names`
    capability         while the circuit of `service` is open, /health has `level` for each of `names`, or none of them
    stays_up           no service ends or is started anew
    no_flood           a job has at most `count` events
    leaves_alone       what is disturbed gets at most `count` requests that write, or of all kinds with `reading`
    backs_off          the last pause between two calls of what is disturbed is nearly `seconds` long
    called_once        what is disturbed is asked at most `count` times to do the work of the documents
    handed_over_once   each document is handed over to the parser at most `count` times
    """

    kept: Kept
    service: str = ""
    count: int = Field(default=0, ge=0)
    seconds: float = Field(default=0, ge=0)
    provider: str = ""
    route: str = ""
    statuses: list[int] = []
    names: list[str] = []
    level: str = ""
    reading: bool = False
    afterwards: bool = False
    # The part at fault where it is broken; by default the drill's.
    component: str = ""


class Drill(Sectioned):
    """One drill: steady before, disturbed, promises kept meanwhile, normal again within its target."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]+$")
    family: str
    title: str = Field(min_length=1)
    component: str
    # Does no harm to a live target either: it breaks nothing but its own requests and documents.
    safe: bool = False
    before: list[Action] = []
    # Begun one after the other, and ended together, the last one first.
    disturb: list[Break] = []
    # Done in the background, from when so many disturbances have begun.
    alongside: list[Action] = []
    alongside_from: int = Field(default=0, ge=0)
    meanwhile: list[Action] = []
    # How often the first disturbance must have struck before it ends.
    strikes: int = Field(default=0, ge=0)
    # Done when the disturbances have ended; documents that were not accepted are sent again before.
    after: list[Action] = []
    promises: list[Promise] = Field(min_length=1)
    # The target of [recovery] that the way back to normal is held to.
    recovery: str

    @model_validator(mode="after")
    def _consistent(self) -> Drill:
        if self.safe and self.disturb:
            raise ValueError(f"{self.id} is safe, and disturbs the target")
        if not self.safe and not self.disturb:
            raise ValueError(f"{self.id} disturbs nothing, and so is safe")
        kinds = [promise.kept for promise in self.promises]
        needed: dict[str, type[Entry]] = {
            "complete": Documents,
            "honest": Ask,
            "answered": Ask,
            "forgeries_refused": SendCallback,
        }
        for kept, action in needed.items():
            if kept in kinds and not any(isinstance(done, action) for done in self.actions):
                raise ValueError(f"{self.id} promises {kept!r}, and no action shows it")
        return self

    @property
    def actions(self) -> list[Action]:
        """Everything that is done in the drill."""
        return [*self.before, *self.alongside, *self.meanwhile, *self.after]

    @property
    def name(self) -> str:
        """How a check of it is named."""
        return self.id


class Drills(Sectioned):
    """All drills of a system."""

    # What machines and networks take at any speed, beside what is promised.
    grace_seconds: float = Field(gt=0)
    # No deadline between services is shorter, at any speed.
    least_deadline_seconds: float = Field(ge=0)
    # How long a health body may take while a service that it asks does not respond, at any speed.
    slowest_health_seconds: float = Field(gt=0)
    # How often what happens is looked at while a drill is under way.
    look_seconds: float = Field(gt=0)
    # A harness that ends without lifting a disturbance leaves it for so long.
    seconds_at_most: float = Field(gt=0)
    # How much faster than the specification the twin of the drills is.
    twin_speedup: float = Field(gt=0)
    # What each family of drills is about.
    families: dict[str, str]
    drill: list[Drill] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Drills:
        ids = [drill.id for drill in self.drill]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"{', '.join(twice)} stands twice")
        if unknown := sorted({drill.family for drill in self.drill} ^ self.families.keys()):
            raise ValueError(f"families: {', '.join(unknown)} is no family, or has no drill")
        return self
