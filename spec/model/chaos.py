"""§3, §7: chaos: many users work while parts are killed, slowed and cut at random; what may come of it.

All seconds are those of the run itself: it is as long as it says, at any speed of the twin.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from spec.model.base import Entry, Sectioned
from spec.model.drills import Break
from spec.model.pipeline import DocumentKind


class SentKind(Entry):
    """A kind of document that users send; out of all documents as many as its weight says."""

    document: DocumentKind
    weight: float = Field(gt=0)


class RandomBreak(Entry):
    """A disturbance that may come; `seconds` is the range of its length.

    No two of the same `part` hold at the same time.
    """

    disturb: Break
    part: str
    weight: float = Field(gt=0)
    seconds: tuple[float, float]

    @model_validator(mode="after")
    def _consistent(self) -> RandomBreak:
        if not 0 < self.seconds[0] <= self.seconds[1]:
            raise ValueError(f"seconds: expected a range above 0; found {self.seconds}")
        return self


class ChaosClients(Entry):
    """How a user's program behaves: a request takes at most `request_seconds`, and what failed is repeated.

    The pause before a repeat grows from `first_pause` to `longest_pause`; a job is asked for every `poll_seconds`.
    """

    request_seconds: float = Field(gt=0)
    first_pause: float = Field(gt=0)
    longest_pause: float = Field(gt=0)
    poll_seconds: float = Field(gt=0)
    # Statuses after which a user signs in again; after which the bytes are there already, or the document is.
    sign_in_again: list[int]
    there_already: list[int]
    # Statuses that say that a signed URL is of no use any more: the bytes are sent through the API then.
    url_is_over: list[int]


class Repeat(Entry):
    """What may leave a service's answer unknown, so that a call which is charged may rightly be made once more.

    A kind of disturbance, and where these are given its source and target (what begins with it), that held at most `seconds`
    before the later of two calls.
    """

    kind: str
    source: str = ""
    target: str = ""
    seconds: float = Field(ge=0)


class Charged(Entry):
    """Calls of a vendor that cost something: at most one for a document, and one more for each of `unless` that struck."""

    vendor: str
    title: str
    at_most: int = Field(gt=0)
    unless: list[Repeat] = Field(min_length=1)


class Chaos(Sectioned):
    """One run of chaos; what is random is drawn from these figures by its seed."""

    documents: int = Field(gt=0)
    minutes: float = Field(gt=0)
    documents_a_user: float = Field(ge=1)
    workers: int = Field(gt=0)
    # How much faster than the specification the twin of a run is.
    twin_speedup: float = Field(gt=0)
    # Questions that are asked for each document, and the share of the documents that are sent through the API.
    questions_a_document: float = Field(ge=0)
    proxy_share: float = Field(ge=0, le=1)
    # Nothing is disturbed in the first seconds, and nothing is begun in the last.
    calm_seconds: float = Field(ge=0)
    last_seconds: float = Field(ge=0)
    # From the beginning of one disturbance to that of the next, and how many hold at the same time at most.
    pause: tuple[float, float]
    at_once: int = Field(gt=0)
    # The target of [recovery] that the way back to normal is held to.
    recovery: str
    # What the last document may take to its end, beside the recovery.
    settle_seconds: float = Field(gt=0)
    # How often the health body is read.
    look_seconds: float = Field(gt=0)
    # Of the documents that can be read, the share that may fail with a reason.
    most_failed_share: float = Field(ge=0, le=1)
    clients: ChaosClients
    charged: list[Charged] = []
    sent: list[SentKind] = Field(min_length=1)
    disturbance: list[RandomBreak] = Field(min_length=1)
