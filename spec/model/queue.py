"""contract: Worker: the queue over time: who is served first, what is left behind, what is done again."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Entry, Sectioned
from spec.model.pipeline import DocumentKind


class Grid(Entry):
    """The situations in which a worker may find a job, an axis each; jobs of the run are put into combinations of them.

    `rounds` are the stages that are tried at once, with what may be stored by then. States: `waiting`, `abandoned`
    (its worker died), `due` and `later` (to be tried again). `attempts` have failed before; `claims` ended with their worker.
    """

    rounds: list[dict[str, list[str]]] = Field(min_length=1)
    attempts: dict[str, list[int]] = Field(min_length=1)
    claims: list[int] = Field(min_length=1)
    # Seconds since the job was made.
    ages: list[float] = Field(min_length=1)
    # Situations of each stage.
    of_each_stage: int = Field(gt=0)
    # Stages with fewer situations, as each costs a parse, and those with some of the states only.
    fewer: dict[str, int] = {}
    only: dict[str, list[str]] = {}
    # Ended workers after which a job may be given up, and what is stored that a worker may find broken.
    given_up_from: int = Field(gt=0)
    may_fail: dict[str, list[str]] = {}
    # Statuses of a job that failed in a stage: none of them names a step that is behind it, or has not begun.
    failed_as: dict[str, list[str]] = {}
    # Seconds until a job that is to be tried later is due, in polls of the worker.
    later_polls: float = Field(gt=0)


class JobColumns(Entry):
    """Names that columns may have which the contract leaves to a release; what a table does not have is left out."""

    lease: list[str]
    holder: list[str]
    claims: list[str]
    due: list[str]


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
    # Statuses of a job that is not to be worked on.
    put_aside: list[str] = []
    # A job of anybody that is due and has not moved for so long is left behind.
    parked_hours: float = Field(gt=0)
    # What is sent for a job that is given up, and then retried by its owner; and by the same user, right behind it.
    retried: DocumentKind
    old_days: float = Field(gt=0)
    # Beginnings of words that are numbered and written without a blank between them, so many times each.
    unbroken: list[str] = Field(min_length=2)
    unbroken_times: int = Field(gt=0)
    # Behind these: rows of a table that hold figures alone.
    figures: list[str] = Field(min_length=1)
    # Behind these: text in every form that Markdown has; its words that end in four digits are looked for.
    markup: str = ""
    # Behind that: one paragraph for each of its pages, all of which begin with the same words, up to so many characters.
    alike: DocumentKind
    alike_head: str = Field(min_length=1)
    alike_characters: int = Field(gt=0)
    # Among those: beginnings that differ in one sign, each of a paragraph that goes on like the others, as long as those.
    one_sign: list[str] = Field(min_length=2)
    # Behind that: a last line, too long to stand with the last paragraph in one passage, and shorter than any other passage.
    last: str = Field(min_length=1)
    second: DocumentKind
    # The end of its file's name, and how the file begins.
    second_name: str = Field(min_length=1)
    second_begins: str = Field(min_length=1)
    # What a parse at the vendor's is called.
    parse_name: str = Field(min_length=1)
    parse_page: int = Field(gt=0)
    # How much the vendor's clock may be behind.
    clock_seconds: float = Field(ge=0)
    shown: int = Field(gt=0)
    grid: Grid
    columns: JobColumns
    # Jobs whose file never came have failed so often when they are planted; the next delay is what each shows.
    failed_before: list[int] = Field(min_length=1)
    # Changes of the row of such a job, none of them an attempt, by which it shows that it never ends.
    endless_from: int = Field(gt=2)
    delay_variable: str
    # By so much, as a share, a delay may differ from the agreed one.
    delay_tolerance: float = Field(gt=0, lt=0.5)
    # Share of the words of a reason that the last reason of a job has in common with the one before.
    same_reason_share: float = Field(gt=0, le=1)
    # Files that are sent so many polls after their registration.
    late_polls: list[int] = Field(min_length=1)
    late_age_share: float = 0.0
