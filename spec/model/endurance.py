"""§5, §1: what goes on for longer than one request: pauses, many questions, many uploads."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Entry, Sectioned


class Pauses(Entry):
    """A target that nobody has asked for a while, several times."""

    seconds: float = Field(gt=0)
    # What a twin that is sped up is left alone for at least.
    fewest_seconds: float = Field(gt=0)
    # And once more for so long, if that is longer: what a service or a pooler drops after a while is not sped up with it.
    longest_seconds: float = Field(gt=0)
    # How many times as long each pause lasts. They differ: how long a worker sleeps may depend on how long it had no work.
    lengths: list[float] = Field(min_length=2)
    # What is asked after each, all at the same time, and once more right after that.
    endpoints: list[str] = Field(min_length=1)
    # Questions, and documents, that come at the same moment then.
    at_once: int = Field(ge=2)
    first_request_ms: float = Field(gt=0)
    next_request_ms: float = Field(gt=0)


class Growing(Entry):
    """Batches of the same work, after a first one that warms up; something is kept where it grows with every one of them."""

    batches: int = Field(ge=2)
    each: int = Field(gt=0)
    # Of what one question or upload may leave: bytes, or connections.
    at_most: float = Field(gt=0)


class RequestLimit(Entry):
    """So many times the requests after which a service ends, with registrations of documents among them."""

    beyond: float = Field(gt=1)
    uploads: int = Field(gt=0)
    endpoint: str


class Endurance(Sectioned):
    """What only shows after a while."""

    pauses: Pauses
    memory_of_questions: Growing
    memory_of_uploads: Growing
    connections_of_users: Growing
    request_limit: RequestLimit
    # Values of the platform's series that are waited for after a batch.
    settled_values: int = Field(ge=1)
