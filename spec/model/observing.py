"""Observers: what every exchange of a run is held to, whoever asked for it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spec.model.base import Entry, Promised


class ObserverRule(Promised):
    """One observer, by the name of its class's entry in fixtures/observers; its check has this section and promise."""

    name: str


class InsidePattern(Entry):
    """Something of the inside that no answer shows; `lead` stands in all that the pattern matches."""

    name: str
    lead: str = Field(min_length=2)
    pattern: str


class Times(Entry):
    """Fields that hold a time: of the answer itself, of something that has happened, of an end that is still to come.

    `of_run` are the endpoints, by name, whose answers are about what the run itself has made, `uncached` those whose answers
    are made anew for each request.
    """

    now: list[str] = []
    past: list[str] = []
    ends: list[str] = []
    of_run: list[str] = []
    uncached: list[str] = []


class IdFields(Entry):
    """Fields that hold a whole id wherever they stand, and where an endpoint's answer shows the id of its caller's account."""

    names: list[str] = []
    of_accounts: dict[str, str] = {}


class Range(Entry):
    """Between what the numbers of some fields lie.

    `most_of` is a variable that holds the largest; `of_exchange` is the largest for each second that the exchange took.
    What is part of another field of the same object, `within`, is no more than that. With `shares`, so many shares of 1 show
    that no other number of the run is one of 100, and so many times that can be seconds that none is milliseconds.
    """

    fields: list[str] = Field(min_length=1)
    least: float = 0.0
    most: float | None = None
    most_of: str = ""
    of_exchange: float = Field(default=0.0, ge=0)
    within: str = ""
    whole: bool = False
    shares: int = Field(default=0, ge=0)


class GrowthRule(Entry):
    """What is read beside the run, and when it has only grown."""

    # Between two readings; after the end of a job, before its events are counted.
    every_seconds: float = Field(gt=0)
    settle_seconds: float = Field(gt=0)
    events_table: str
    # The run is judged in so many parts with the same work: requests, of which a finished job counts as so many. How much work
    # a run has to have, and how many readings each part, and each job.
    parts: int = Field(gt=2)
    requests_of_a_job: int = Field(gt=0)
    fewest_work: int = Field(gt=0)
    fewest_readings: int = Field(gt=0)
    # Connections that each part adds where they only grow.
    rise: int = Field(gt=0)
    # Jobs that are needed, and readings with more events than the one before, in each of those that count.
    fewest_jobs: int = Field(gt=0)
    fewest_rises: int = Field(gt=0)
    # Tables with rows of a job that its steps write, and readings with more of them while a job takes none.
    standing_tables: list[str] = []
    standing_rises: int = Field(default=3, gt=0)


class Standing(Entry):
    """One situation of a job in which the ways of asking are compared, with what its row holds beside."""

    status: str
    state: str
    retry_count: int = Field(default=0, ge=0)
    reason: str = ""


class LastingRule(Entry):
    """How often a service may close a connection that is kept, at the moment when it is used: a share, and a number."""

    most: float = Field(gt=0, lt=1)
    fewest: int = Field(gt=1)


class Observing(Entry):
    """What the observers know of the system. Requests are named as failures name them: "endpoint POST /login"."""

    # Requests whose answers hand out a user's token, and a link to storage.
    tokens_from: list[str] = []
    links_from: list[str] = []
    # Fields of an answer that are ids of what the caller alone may see, by the endpoint's name.
    own_ids: dict[str, list[str]] = {}
    # Endpoints, by name, that answer with a page; that describe the API, with examples; that have a form of error of their own;
    # that pass on the status of another part.
    pages: list[str] = []
    descriptions: list[str] = []
    own_errors: list[str] = []
    passed_on: list[str] = []
    # Refusals that a host in front of the service makes itself, by a page of its own.
    host_refusals: list[int] = []
    # An error's object has one of these.
    error_fields: list[str] = []
    # Fields of an endpoint's answer of which nothing may be known, so that they are there and hold null.
    may_be_null: list[str] = []
    inside: list[InsidePattern] = []
    # Columns that users are shown, and that errors are written into.
    shown_columns: list[str] = []
    # Subjects of those of their rows that quote no document.
    without_contents: list[str] = []
    # What is a version in a header that names software.
    version: str = r"(?!)"
    times: Times = Times()
    ids: IdFields = IdFields()
    ranges: list[Range] = []
    # Endpoints, by name, that show jobs: whether their status is the job's own or a document's.
    shows_jobs: dict[str, Literal["job", "document"]] = {}
    # By what an answer shows (a job, a document, a duplicate): its fields, each with the columns of which it shows one. What
    # all ways that show an object for it show alike beside that; what may be null all the same. The documents that are asked
    # for by every way.
    columns: dict[str, dict[str, list[str]]] = {}
    alike: list[str] = []
    left_out: list[str] = []
    compared: list[str] = []
    # Situations of a job that no document of the run ends in, or that none is in for long; no worker goes on with such a job.
    standings: list[Standing] = []
    # Endpoints, by name, that set a job back.
    sets_back: list[str] = []
    # After this long a document's own status follows its job's.
    settle_seconds: float = Field(default=0.0, ge=0)
    # Names of cookies that a page's own scripts are to read.
    readable_cookies: str = r"(?!)"
    lasting: LastingRule | None = None
    # None: nothing is read beside the run.
    growth: GrowthRule | None = None

    @property
    def watched_growth(self) -> GrowthRule:
        """The rule of what must not only grow; raises LookupError where a system has none."""
        if self.growth is None:
            raise LookupError("observing.growth is not in the specification")
        return self.growth
