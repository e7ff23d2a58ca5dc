"""How the services behave: health, security, limits and chat."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from spec.model.base import Sectioned


class Health(Sectioned):
    """§4 Staging Service Health Checks. Times in seconds."""

    timeout_seconds: float = Field(gt=0)
    interval_seconds: float = Field(gt=0)
    statuses: list[str] = Field(min_length=1)
    required_status: str
    # The status of a service of which only optional dependencies are out of order.
    excused_status: str = ""
    # Dependencies that the body must name as healthy, each with the part at fault when it is not.
    required_services: dict[str, str] = Field(min_length=1)
    # The one that every release's body names.
    named_service: str
    # Words for a dependency that works, and for one that is not used.
    working_words: list[str] = Field(min_length=1)
    unused_words: list[str]
    # Dependencies that may be out of order, and fields of the body under which it lists such dependencies itself.
    optional_services: list[str] = []
    optional_fields: list[str] = []
    # What the fields of the body are called.
    status_field: str = "status"
    timestamp_field: str = "timestamp"
    version_field: str = "version"
    services_field: str = "services"
    cache_seconds: float = Field(ge=0)
    clock_skew_seconds: float = Field(ge=0)
    # How many answers in a row the daily health check takes.
    looks: int = Field(default=6, gt=1)


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
    # Paths of pages that belong to no release, and the statuses that are right for them.
    debug_paths: list[str]
    hidden_statuses: list[int] = Field(min_length=1)
    # Paths that no release leaves open, and what an endpoint that is open without the specification's word must not show.
    private_paths: list[str] = []
    personal_patterns: list[str] = []
    # Statuses that are right for a path that no release has.
    unknown_page_statuses: list[int] = Field(min_length=1)
    # Statuses that show that the body was read before the token.
    body_first_statuses: list[int]
    # What a secret, or the inside of the service, looks like.
    leak_patterns: dict[str, str]
    hostile_names: dict[str, str] = Field(min_length=1)

    @field_validator("leak_patterns", "private_paths", "personal_patterns")
    @classmethod
    def _compiles(cls, value: dict[str, str] | list[str]) -> dict[str, str] | list[str]:
        for pattern in value.values() if isinstance(value, dict) else value:
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

    # What the metadata of an answer hold.
    metadata: list[str]
    error_keys: list[str]
    # Key with an identifier of the error, such as the name of its class, and parts by what such an identifier may hold.
    error_type_key: str = "error_type"
    error_parts: dict[str, list[str]] = {}
    apology_sources: list[str]
    apologies: list[str]
    similarity_threshold: float = Field(ge=0, le=1)
    max_chunks: int = Field(gt=0)
    token_budget: int = Field(gt=0)
    characters_per_token: int = Field(gt=0)
    # Models of which a key may use one at least, for a direct question.
    models: list[str] = []
    # Wrong questions in a row, more than a service has places for questions.
    refusals: int = Field(default=24, gt=0)

    def part_of(self, error_type: str) -> str | None:
        """The part that an error's identifier names; None where it names none."""
        held = error_type.lower()
        named = (part for part, fragments in self.error_parts.items() if any(f.lower() in held for f in fragments))
        return next(named, None)
