"""Bodies of requests and responses, as openapi.json shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.auth import EMAIL, MAX_PASSWORD, MIN_PASSWORD

State = Literal["queued", "working", "retryable", "done", "deadletter"]
# At least one character that is not white space, and no NUL, which PostgreSQL does not store.
FILLED = r"^[^\x00]*[^\x00\s][^\x00]*$"


class Refusal(BaseModel):
    """Why a request was refused."""

    detail: str


class DuplicateDocument(BaseModel):
    """The caller has uploaded this content before."""

    error_type: Literal["duplicate_document"]
    message: str
    document_title: str
    last_uploaded: datetime


class Registration(BaseModel):
    """Body of POST /register."""

    email: Annotated[str, Field(pattern=f"^{EMAIL.pattern}$")]
    password: Annotated[str, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD, pattern=FILLED)]
    name: Annotated[str, Field(pattern=FILLED)]


class Credentials(BaseModel):
    """Body of POST /login."""

    email: Annotated[str, Field(pattern=FILLED)]
    password: Annotated[str, Field(pattern=FILLED)]


class Page(BaseModel):
    """One parsed page, or a whole document."""

    md: str | None = None
    txt: str | None = None


class Callback(BaseModel):
    """Body of LlamaParse's callback."""

    status: Literal["completed", "failed"]
    result: Page | list[Page] | None = None
    error: Any = None


class Root(BaseModel):
    """Name and version of the service."""

    service: str
    version: str


class Status(BaseModel):
    """Version, environment and database of this deployment."""

    status: Literal["ok", "degraded"]
    timestamp: datetime
    version: str
    commit: str
    database: Literal["connected", "disconnected"]
    environment: str


class ServiceHealth(BaseModel):
    """Health of one dependency."""

    status: str
    healthy: bool
    last_check: datetime
    error: str | None


class CircuitHealth(BaseModel):
    """The circuit breaker of one external service, of its worst operation where they have circuits of their own."""

    state: Literal["closed", "open", "half_open"]
    failures: Annotated[int, Field(ge=0)]
    opened_at: datetime | None


class Health(BaseModel):
    """Health of the service and of its dependencies; `degraded` names what is offered in part or not at all."""

    status: Literal["healthy", "degraded"]
    timestamp: datetime
    version: str
    services: dict[str, str | ServiceHealth]
    circuits: dict[str, CircuitHealth]
    degraded: dict[str, Literal["fallback", "unavailable"]]


class HealthError(BaseModel):
    """The check itself broke."""

    status: Literal["error"]
    timestamp: datetime
    services: dict[str, str | ServiceHealth]
    error: str


class Identity(BaseModel):
    """The signed-in user."""

    id: UUID
    email: str
    name: str


class Account(Identity):
    """A user, with the time of registration."""

    created_at: datetime | None


class Registered(BaseModel):
    """A new user, who signs in afterwards."""

    access_token: None
    token_type: Literal["bearer"]
    user: Account


class SignedUp(BaseModel):
    """A new user who has given consent."""

    user: Account


class SignedIn(BaseModel):
    """A session."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    user: Account


class UploadTicket(BaseModel):
    """A registered document, and where its bytes go."""

    job_id: UUID
    document_id: UUID
    signed_url: str
    upload_expires_at: datetime


class Stored(BaseModel):
    """The file is stored."""

    status: Literal["success"]


class Limits(BaseModel):
    """The published limits."""

    max_file_size_bytes: int
    max_concurrent_jobs_per_user: int
    max_uploads_per_day_per_user: int
    supported_mime_types: list[str]
    signed_url_ttl_seconds: int


class Progress(BaseModel):
    """How far a document is."""

    percent: Annotated[int, Field(ge=0, le=100)]


class Job(BaseModel):
    """One job of the caller."""

    job_id: UUID
    document_id: UUID
    status: str
    state: State
    retry_count: int
    progress: Progress
    cost_cents: float
    last_error: Any
    created_at: datetime
    updated_at: datetime


class Jobs(BaseModel):
    """A page of the caller's jobs, newest first."""

    jobs: list[Job]
    limit: int
    offset: int


class DocumentStatus(BaseModel):
    """Progress of one document."""

    document_id: UUID
    filename: str
    status: str | None
    state: State | None
    processing_status: str
    progress: Progress
    job_id: UUID | None
    last_error: Any
    updated_at: datetime


class Acknowledged(BaseModel):
    """The callback was accepted, or the job no longer waits for it."""

    status: Literal["ok", "ignored"]


class Source(BaseModel):
    """A passage that the answer was made from."""

    document_id: UUID
    chunk_id: UUID
    filename: str
    similarity: float
    text: str


class Attempt(BaseModel):
    """A provider that was tried, and what came of it."""

    provider: str
    outcome: Literal[
        "success", "timeout", "unreachable", "server_error", "rate_limited", "unreadable", "refused", "circuit_open"
    ]
    seconds: Annotated[float, Field(ge=0)]


class AnswerFacts(BaseModel):
    """How the answer came about; `error_type` and `unavailable` (a service) are there only when none was found."""

    processing_time: float
    confidence: float
    provider: str
    route: Literal["primary", "fallback", "none"]
    attempts: list[Attempt]
    degraded: bool


class Answer(BaseModel):
    """The answer to one question."""

    text: str
    response: str
    conversation_id: str
    timestamp: datetime
    metadata: AnswerFacts
    sources: list[Source | Literal["system"]]
    success: bool
