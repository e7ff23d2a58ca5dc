"""contract: Worker, Storage: the pipeline of documents, and the documents that a run sends through it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from spec.model.base import Entry, Sectioned


class States(Entry):
    """States of a job by what they mean."""

    waiting: str
    working: str
    retryable: str
    done: str
    dead: str

    @property
    def unfinished(self) -> tuple[str, ...]:
        """States of a job that is not finished."""
        return self.waiting, self.working, self.retryable

    @property
    def open(self) -> tuple[str, ...]:
        """States of a job that a worker may take."""
        return self.waiting, self.retryable


class PipelineTables(Entry):
    """Tables of the pipeline by what they hold; buckets and objects are those of the storage's own schema."""

    documents: str
    jobs: str
    chunks: str
    buckets: str
    objects: str
    accounts: str
    # Tables with rows of a document or a job, with the columns that name it; children first, the document last.
    linked: dict[str, list[str]] = Field(min_length=1)


class Pipeline(Sectioned):
    """contract: Worker, Storage."""

    # Service that works on the jobs, and its variable with the seconds between two polls.
    worker: str
    poll_variable: str
    tables: PipelineTables
    states: States
    bucket: str
    # Keys of stored files below the user's folder.
    folder: str
    raw_path: str
    parsed_path: str
    parsed_mime: str
    # What a stored path may begin with.
    path_scheme: str
    stages: list[str] = Field(min_length=2)
    # Stages in which a job waits for the parser's callback, and in which its text is there.
    callback_stage: str
    parsed_stage: str
    final_status: str
    # Status of a job whose document cannot be parsed, and what every status of a failed job begins with.
    failed_status: str
    failed_prefix: str
    # Statuses of a job whose document cannot be read.
    unreadable_as: list[str] = Field(min_length=1)
    # The first stage that a job with a status of failure has not reached.
    not_reached: dict[str, str] = {}
    # Statuses of a document whose job is complete.
    document_status_column: str
    document_statuses: list[str] = Field(min_length=1)
    chunker: str
    chunker_version: str
    chunks_version: str
    embed_model: str
    embed_version: str
    other_embed_models: list[str] = []
    embedding_batch: int
    counts_chunks: list[str] = []
    unit_norm_tolerance: float
    different_vectors_share: float = Field(gt=0, le=1)
    # Numbers that are missing from even steps are lost chunks; a larger share of them is another rule of numbering.
    lost_numbers_share: float = Field(gt=0, le=1)
    same_text_cosine: float = Field(gt=0, lt=1)
    # Two models have nothing in common: a vector that is so near to the text's is the model's own, of another text.
    same_model_cosine: float = Field(gt=0, lt=1)
    # Enough for a text that was embedded with words around it, if no other text of the document is nearer; None: never.
    context_cosine: float | None = Field(default=None, gt=0, lt=1)
    # Shorter texts may weigh less than the words around them, and then need only be the nearest.
    context_outweighs_characters: int = Field(default=0, ge=0)
    poll_intervals_waited: int
    give_up_seconds: float = Field(gt=0)
    claim_poll_intervals: int = Field(gt=0)
    claim_grace_seconds: float = Field(ge=0)
    busiest_polling: float = Field(gt=0, le=1)

    @property
    def final_state(self) -> str:
        """State of a job that is complete."""
        return self.states.done

    @property
    def failed_state(self) -> str:
        """State of a job that is given up."""
        return self.states.dead

    @property
    def jobs_table(self) -> str:
        """Table of the jobs."""
        return self.tables.jobs

    def is_unfinished(self, status: str) -> bool:
        """Whether a status is one of a job that has failed, or has more than its last step before it."""
        return status in self.stages[:-2] or self.has_failed(status)

    def stages_behind(self, failure: str) -> list[str]:
        """Stages that a job with this status of failure has not reached."""
        first = self.not_reached.get(failure)
        return self.stages[self.stages.index(first) :] if first else []

    def is_behind(self, word: str | None, status: str) -> bool:
        """Whether a document's word is not one for its job, which is over: a stage on the way, or another end."""
        if self.has_failed(status):
            return word in self.stages or self.is_another_failure(word or "", status)
        return word in self.stages[:-1] or self.has_failed(word or "")

    def is_another_failure(self, word: str, status: str) -> bool:
        """Whether a word says that another step than the one by a failed job's status has failed."""
        return word != status and {word, status} <= self.not_reached.keys()

    def has_failed(self, status: str) -> bool:
        """Whether a status is one of a failed job."""
        return status.startswith(self.failed_prefix)


class Webhook(Sectioned):
    """contract: HTTP API (webhook): callbacks of the parser."""

    signature_header: str
    # Body of a callback of a finished parse.
    completed: dict[str, str]
    # Bodies that are no callbacks.
    nonsense: list[str] = []
    # What can be the signature of no body.
    odd_signature: str = ""
    # Body of a callback of a parse that has failed.
    failed: dict[str, Any] = {}
    # What a callback that is not waited for leaves as it is, of the rows of its job and document.
    kept: list[str] = []
    # Words in many scripts, which each page holds.
    words: str = ""
    # Forms of its result by name; {one} and {two} stand for the text of two pages, {long} for one of so many bytes.
    long_text_bytes: int = Field(default=0, ge=0)
    results: dict[str, Any] = {}


class DocumentKind(Entry):
    """A document that a run sends through the pipeline."""

    kind: Literal["policy", "no_text", "truncated", "not_a_pdf"]
    outcome: Literal["complete", "failed"]
    pages: int = Field(default=1, gt=0)
    # Of each page of a policy; one of a single sentence holds no facts.
    sentences: int = Field(default=15, gt=0)
    # Bytes of a file that is attached to a policy: its own file is as large, and says no more.
    attached_bytes: int = Field(default=0, ge=0)


class Fact(Entry):
    """A sentence in every policy, the question about it, and what the answer must hold."""

    page: int = Field(gt=0)
    sentence: str
    question: str
    answer: str
