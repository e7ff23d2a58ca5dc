"""contract: Worker: the queue over time: who is served first, what is left behind, what is done again."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Sectioned
from spec.model.pipeline import DocumentKind


class Queue(Sectioned):
    """How the queue is watched while the run's documents go through it, and what is promised of it.

    `look_seconds` lie between two looks at the jobs, `rows_seconds` between two at what is stored of those that have ended.
    """

    look_seconds: float = Field(gt=0)
    rows_seconds: float = Field(gt=0)
    # How often a job must be seen passed over before the order is wrong.
    passed_over_at_least: int = Field(gt=0)
    # How often rows of a document that has ended are written again before its work is done again.
    rewritten_at_least: int = Field(gt=0)
    # How often a chunk may be written with its vector while its document is under way; a release may note something of its own.
    embedded_at_most: int = Field(gt=0)
    # The worker's variable that says how often a job is tried again.
    retries_variable: str
    # Names of the invariants that are judged of the run's own documents.
    invariants: list[str] = []
    # Documents that other checks ask questions about, which a service may note in their rows.
    asked: list[str] = []
    # A job of anybody that is due and has not moved for so long is left behind.
    parked_hours: float = Field(gt=0)
    # What is sent for a job that is given up, and then retried by its owner; and by the same user, right behind it.
    retried: DocumentKind
    old_days: float = Field(gt=0)
    # Beginnings of words that are numbered and written without a blank between them, so many times each.
    unbroken: list[str] = Field(min_length=2)
    unbroken_times: int = Field(gt=0)
    second: DocumentKind
    # What a parse at the vendor's is called.
    parse_name: str = Field(min_length=1)
    parse_page: int = Field(gt=0)
    # How much the vendor's clock may be behind.
    clock_seconds: float = Field(ge=0)
    shown: int = Field(gt=0)
