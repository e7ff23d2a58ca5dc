"""How the services behave: endpoints, health, limits, chat, the pipeline and its documents."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from spec.model.base import Entry, Sectioned


class Endpoint(Entry):
    """contract: HTTP API; one row."""

    name: str
    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE"]
    path: str = Field(pattern=r"^/")
    auth: Literal["none", "bearer", "hmac"]
    success: int
    fields: list[str] = []
    # Statuses that are right for an error, by the error's name.
    errors: dict[str, list[int]] = {}

    # Response-time target; left out, it is the one of any endpoint without an external call.
    target: str | None = None
    # Whether its response time is measured by itself.
    is_timed: bool = False

    @property
    def held_to(self) -> str:
        """The response-time target that it is held to."""
        return self.target or "endpoint"

    def error(self, name: str) -> tuple[int, ...]:
        """Statuses that are right for an error of this name; raises KeyError."""
        return tuple(self.errors[name])


class Case(Entry):
    """One request to an endpoint and the statuses that are right for it; a filler body of `body_bytes` bytes where set."""

    endpoint: str
    name: str
    promise: str
    status: list[int] = Field(min_length=1)
    caller: Literal["nobody", "user"] = "user"
    at: dict[str, str] = {}
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    json_body: dict[str, str | int | float | bool | None] | None = Field(default=None, alias="json")
    body_bytes: int | None = Field(default=None, gt=0)
    fields: list[str] = []


class Health(Sectioned):
    """§4 Staging Service Health Checks. Times in seconds."""

    path: str
    method: str
    timeout_seconds: float = Field(gt=0)
    interval_seconds: float = Field(gt=0)
    statuses: list[str]
    required_status: str
    required_services: list[str]
    optional_services: list[str]
    # Words that a dependency may be described by when it is well.
    good_words: list[str] = Field(min_length=1)
    # What the fields of the body are called.
    status_field: str = "status"
    timestamp_field: str = "timestamp"
    version_field: str = "version"
    services_field: str = "services"
    # The part at fault when a dependency is unwell.
    components: dict[str, str] = {}
    cache_seconds: float = Field(ge=0)
    clock_skew_seconds: float = Field(ge=0)
    worker_timeout_seconds: float | None = Field(default=None, gt=0)


class Monitoring(Sectioned):
    """§5 Staging Service Monitoring."""

    request_id_header: str
    process_time_header: str


class Security(Sectioned):
    """§6 Staging Service Security."""

    challenge: str
    # Setting with a token that every request may carry, for a system without accounts.
    token_setting: str | None = None
    # Endpoint that takes a JSON body.
    json_endpoint: str
    debug_paths: list[str]
    open_paths: list[str]
    leak_patterns: dict[str, str]
    hostile_names: dict[str, str] = Field(min_length=1)

    @field_validator("leak_patterns")
    @classmethod
    def _compiles(cls, value: dict[str, str]) -> dict[str, str]:
        for pattern in value.values():
            re.compile(pattern)
        return value


class Limits(Sectioned):
    """contract: HTTP API, limits."""

    max_file_size_bytes: int = Field(gt=0)
    max_concurrent_jobs_per_user: int = Field(gt=0)
    max_uploads_per_day_per_user: int = Field(gt=0)
    supported_mime_types: list[str]
    signed_url_ttl_seconds: int = Field(gt=0)
    max_filename_characters: int = Field(gt=0)


class Chat(Sectioned):
    """contract: RAG and chat."""

    error_keys: list[str]
    apology_sources: list[str]
    apologies: list[str]
    similarity_threshold: float = Field(ge=0, le=1)
    max_chunks: int = Field(gt=0)
    token_budget: int = Field(gt=0)
    characters_per_token: int = Field(gt=0)


class Pipeline(Sectioned):
    """contract: Worker, Storage."""

    # Service that works on the jobs, and its variable with the seconds between two polls.
    worker: str
    poll_variable: str
    jobs_table: str
    bucket: str
    raw_path: str
    parsed_path: str
    stages: list[str]
    final_status: str
    final_state: str
    failed_state: str
    failed_status: str
    chunker: str
    chunker_version: str
    chunks_version: str
    embed_model: str
    embed_version: str
    embedding_batch: int
    unit_norm_tolerance: float
    different_vectors_share: float = Field(gt=0, le=1)
    same_text_cosine: float = Field(gt=0, lt=1)
    upload_window_seconds: float
    poll_intervals_waited: int
    give_up_seconds: float = Field(gt=0)
    claim_poll_intervals: int = Field(gt=0)


class DocumentKind(Entry):
    """A document that a run sends through the pipeline."""

    kind: Literal["policy", "no_text", "truncated", "not_a_pdf"]
    outcome: Literal["complete", "failed"]
    pages: int = Field(default=1, gt=0)


class Fact(Entry):
    """A sentence in every policy, the question about it, and what the answer must hold."""

    page: int = Field(gt=0)
    sentence: str
    question: str
    answer: str
