"""Types of the specification file; a value of another form is refused by name."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

ServiceName = Literal["api", "worker"]


class Entry(BaseModel):
    """Base of all tables: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sectioned(Entry):
    """An entry that says where in the specification or contract it comes from."""

    section: str = Field(min_length=1)


class Meta(Entry):
    """What this file describes."""

    name: str
    specification: str
    contract: str


class Service(Sectioned):
    """§1, §2: one deployed service."""

    name: str
    type: Literal["web_service", "background_worker"]
    runtime: str
    region: str
    plan: str
    build_plan: str
    auto_deploy: Literal["yes", "no"]
    dockerfile_path: str
    docker_context: str
    build_command: str
    requirements: str
    base_image: str
    start_command: str
    health_check_command: str
    ignored_paths: list[str]
    included_paths: list[str] = Field(min_length=1)
    port: int | None = Field(default=None, gt=0, lt=65536)
    health_check_path: str | None = None
    health_check_output: str | None = None


class Variable(Sectioned):
    """§1, §2 Environment Variables: the rule of one variable."""

    services: list[ServiceName] = Field(min_length=1)
    kind: Literal["fixed", "pattern", "secret", "equal", "part"]
    value: str | None = None
    pattern: str | None = None
    meaning: str | None = None
    min_length: int | None = Field(default=None, gt=0)
    of: str | None = None
    part: Literal["hostname", "port", "username", "password", "name"] | None = None
    suffix: str = ""
    optional: bool = False
    secret: bool = False
    shared: bool = False

    @property
    def is_secret(self) -> bool:
        """True when the value must never be shown."""
        return self.secret or self.kind == "secret"

    @model_validator(mode="after")
    def _complete(self) -> Variable:
        needed = {"fixed": "value", "pattern": "pattern", "secret": "min_length", "equal": "of", "part": "part"}
        if getattr(self, needed[self.kind]) is None or (self.kind == "part" and self.of is None):
            raise ValueError(f"kind {self.kind!r} needs {needed[self.kind]!r}")
        if self.pattern is not None:
            re.compile(self.pattern)
        return self


class Placeholders(Sectioned):
    """Values that were never filled in."""

    patterns: list[str]


class Networking(Sectioned):
    """§1 Networking Configuration."""

    open_ports: list[str]
    cors_origins: list[str] = Field(min_length=1)
    foreign_origins: list[str]
    trusted_hosts: list[str] = Field(min_length=1)
    foreign_hosts: list[str]
    foreign_host_status: int
    refused_tls_versions: list[str]
    certificate_days_left: int


class Identity(Sectioned):
    """§6 Data Security: how staging and production are told apart."""

    tag: str = Field(pattern=r"^[a-z]+$")
    mail_domain: str
    environment: str
    # Supabase's names of projects say nothing by themselves: those of staging are listed here.
    projects: list[str]
    staging_pattern: str
    production_patterns: list[str] = Field(min_length=1)
    watched_variables: list[str]


class Index(Entry):
    """An index that must exist."""

    columns: list[str] = Field(min_length=1)
    partial: bool


class Table(Sectioned):
    """contract: Database; one table."""

    name: str
    primary_key: list[str]
    unique: list[list[str]]
    indexes: list[Index]
    service_grants: list[str]
    columns: dict[str, str]
    foreign_keys: dict[str, str] = {}
    checks: dict[str, list[str]] = {}
    vector_index: str | None = None


class Database(Sectioned):
    """§3 Database Dependencies; contract: Database."""

    # `schema` is taken by pydantic.
    schema_name: str = Field(alias="schema")
    extension: str
    vector_dimension: int
    minimum_server_version: int
    service_role: str
    user_role: str
    anonymous_role: str
    migrations_table: str
    index_methods: list[str]
    vector_operator_class: str
    connections: int = Field(gt=0)
    named_tables: list[str]
    tables: list[Table] = Field(min_length=1)

    def table(self, name: str) -> Table:
        """The table of this name; raises KeyError."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


class Pipeline(Sectioned):
    """contract: Worker, Storage."""

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
    cache_seconds: float = Field(ge=0)
    clock_skew_seconds: float = Field(ge=0)
    worker_timeout_seconds: float = Field(gt=0)
    worker_interval_seconds: float = Field(gt=0)


class Monitoring(Sectioned):
    """§5 Staging Service Monitoring."""

    request_id_header: str
    process_time_header: str


class Security(Sectioned):
    """§6 Staging Service Security."""

    challenge: str
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


class Safety(Sectioned):
    """Deadlines in seconds."""

    request_seconds: float = Field(gt=0)
    patience: int = Field(gt=0)
    impatient_seconds: float = Field(gt=0)
    chat_seconds: float = Field(gt=0)
    concurrent_requests: int = Field(gt=0)
    check_seconds: float = Field(gt=0)
    run_seconds: float = Field(gt=0)
    settle_seconds: float = Field(gt=0)
    unreachable_seconds: float = Field(gt=0)
    interrupt_seconds: float = Field(gt=0)


class BudgetLimits(Entry):
    """What one run may use; money in US cents."""

    requests_per_second: float = Field(gt=0)
    requests: int = Field(gt=0)
    documents: int = Field(gt=0)
    tokens: int = Field(gt=0)
    cents: float = Field(gt=0)


class BudgetPrices(Entry):
    """Estimates of what third parties count and charge; money in US cents."""

    tokens_of_a_page: int = Field(gt=0)
    tokens_of_a_question: int = Field(gt=0)
    cents_for_a_page: float = Field(ge=0)
    cents_for_1000_tokens: float = Field(ge=0)


class Budget(Sectioned):
    """What a run of the gate and a run of the load may use."""

    gate: BudgetLimits
    load: BudgetLimits
    prices: BudgetPrices


class Contract(Sectioned):
    """Requests generated from openapi.json: for how long in all, how many for each operation, and where none are sent."""

    seconds: float = Field(gt=0)
    examples: int = Field(gt=0)
    seed: int
    tagged_paths: list[str]
    never: dict[str, str]


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


class Endpoint(Entry):
    """contract: HTTP API; one row."""

    name: str
    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE"]
    path: str = Field(pattern=r"^/")
    auth: Literal["none", "bearer", "hmac"]
    success: int
    fields: list[str] = []


class Sampling(Sectioned):
    """How many samples a percentile needs."""

    beyond: int = Field(gt=0)
    beyond_costly: int = Field(gt=0)
    mean_minimum: int = Field(gt=0)
    documents: int = Field(gt=0)
    rounds: int = Field(gt=0)
    batches: int = Field(gt=0)
    batch_texts: int = Field(gt=0)
    vendor_documents: int = Field(gt=0)
    claim_grace_seconds: float = Field(ge=0)
    cache_ratio: float = Field(ge=0, le=1)


class Segment(Entry):
    """A part of a load schedule: arrivals a second, even or at random, rising or falling to `to_rate` where given."""

    seconds: float = Field(gt=0)
    rate: float = Field(gt=0)
    to_rate: float | None = Field(default=None, gt=0)
    arrivals: Literal["constant", "poisson"] = "poisson"


class LoadTask(Entry):
    """A task of the load: its weight among the others, the target that it is held to, and further bounds (milliseconds)."""

    weight: int = Field(gt=0)
    target: str
    p50_ms: float | None = Field(default=None, gt=0)
    p99_ms: float | None = Field(default=None, gt=0)


class Profile(Entry):
    """A load schedule; `tasks` are weights of its own, where it is not the mixed day."""

    segments: list[Segment] = Field(min_length=1)
    tasks: dict[str, int] = Field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Length of the schedule."""
        return sum(segment.seconds for segment in self.segments)

    def scaled(self, seconds: float | None = None, rate: float = 1.0) -> Profile:
        """The same shape over another length (seconds), its rates multiplied."""
        stretch = 1.0 if seconds is None else seconds / self.seconds
        segments = [
            segment.model_copy(
                update={
                    "seconds": segment.seconds * stretch,
                    "rate": segment.rate * rate,
                    "to_rate": None if segment.to_rate is None else segment.to_rate * rate,
                }
            )
            for segment in self.segments
        ]
        return self.model_copy(update={"segments": segments})


class LoadThresholds(Entry):
    """What a load run is held to beside the response times."""

    late_ms: float = Field(gt=0)
    late_share: float = Field(gt=0, lt=1)
    p99_samples: int = Field(gt=0)
    p95_samples: int = Field(gt=0)
    job_age_seconds: float = Field(gt=0)
    jobs_done_share: float = Field(gt=0, le=1)
    drain_seconds: float = Field(gt=0)
    connections_share: float = Field(gt=0, le=1)
    abort_seconds: float = Field(gt=0)
    look_seconds: float = Field(gt=0)


class Regression(Entry):
    """How two releases are compared: ratios of percentiles, with an interval of this confidence.

    `margin` is the ratio that is nobody's business; `run_spread` the standard deviation (of the logarithm of a percentile)
    between two runs of one release, taken until the history holds enough runs to tell.
    """

    profile: str
    profiles: list[str] = Field(min_length=1)
    percentiles: list[float] = Field(min_length=1)
    confidence: float = Field(gt=0.5, lt=1)
    margin: float = Field(ge=1)
    clear: float = Field(gt=1)
    minimum_samples: int = Field(gt=0)
    minimum_blocks: int = Field(gt=1)
    resamples: int = Field(gt=99)
    run_spread: float = Field(gt=0)
    runs_to_tell: int = Field(gt=1)
    repeats: int = Field(gt=0)


class Stress(Entry):
    """The search for the knee: arrivals a second of the first step, growth from step to step, and when to stop."""

    first_rate: float = Field(gt=0)
    last_rate: float = Field(gt=0)
    growth: float = Field(gt=1)
    step_seconds: float = Field(gt=0)
    precision: float = Field(gt=0, lt=1)


class WorkerLoad(Entry):
    """Documents sent at once, step by step; the worker's throughput is linear within this tolerance."""

    parallel: list[int] = Field(min_length=2)
    documents: int = Field(gt=0)
    tolerance: float = Field(gt=0, lt=1)


class Load(Sectioned):
    """Load on the services: who, what, how much, and what it is held to."""

    users: int = Field(gt=0)
    in_flight: int = Field(gt=0)
    seed: int
    pause_seconds: tuple[float, float]
    block_seconds: float = Field(gt=0)
    gate_profile: str
    thresholds: LoadThresholds
    regression: Regression
    stress: Stress
    worker: WorkerLoad
    tasks: dict[str, LoadTask]
    profiles: dict[str, Profile]

    @model_validator(mode="after")
    def _names_exist(self) -> Load:
        for name, profile in self.profiles.items():
            if unknown := profile.tasks.keys() - self.tasks.keys():
                raise ValueError(f"profiles.{name}.tasks: {', '.join(sorted(unknown))} is no task")
        for name in (self.gate_profile, self.regression.profile, *self.regression.profiles):
            if name not in self.profiles:
                raise ValueError(f"{name} is no profile")
        return self

    def weights(self, profile: Profile) -> dict[str, int]:
        """Tasks of a profile with their weights."""
        return profile.tasks or {name: task.weight for name, task in self.tasks.items()}


class Target(Sectioned):
    """contract: Response-time targets; upper bounds in milliseconds, `max_ratio` as a fraction."""

    p95_ms: float | None = Field(default=None, gt=0)
    median_ms: float | None = Field(default=None, gt=0)
    mean_ms: float | None = Field(default=None, gt=0)
    max_ms: float | None = Field(default=None, gt=0)
    max_ratio: float | None = Field(default=None, ge=0, le=1)


class ChecklistItem(Entry):
    """§8 (and §6): one line of a checklist."""

    id: str
    suite: str
    title: str


class Specification(Entry):
    """The whole file."""

    meta: Meta
    services: dict[ServiceName, Service]
    variables: dict[str, Variable]
    placeholders: Placeholders
    networking: Networking
    identity: Identity
    database: Database
    pipeline: Pipeline
    limits: Limits
    chat: Chat
    health: Health
    monitoring: Monitoring
    security: Security
    endpoints: list[Endpoint]
    safety: Safety
    budget: Budget
    contract: Contract
    documents: dict[str, DocumentKind]
    facts: list[Fact]
    sampling: Sampling
    load: Load
    targets: dict[str, Target]
    checklist: list[ChecklistItem]
    coverage: dict[str, str]
    not_checkable: dict[str, str]

    @model_validator(mode="after")
    def _consistent(self) -> Specification:
        for name, variable in self.variables.items():
            if variable.of is not None and variable.of not in self.variables:
                raise ValueError(f"variables.{name}.of names {variable.of!r}, which is not a variable")
        for section, key in self.coverage.items():
            if not hasattr(self, key.partition(".")[0]):
                raise ValueError(f"coverage.{section!r} names {key!r}, which is not an entry")
        if self.load.gate_profile not in self.load.profiles:
            raise ValueError(f"load.gate_profile names {self.load.gate_profile!r}, which is not a profile")
        for name, task in self.load.tasks.items():
            if task.target not in self.targets:
                raise ValueError(f"load.tasks.{name}.target names {task.target!r}, which is not a target")
        ids = [item.id for item in self.checklist]
        if len(ids) != len(set(ids)):
            raise ValueError("checklist: an id stands twice")
        return self

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint of this name; raises KeyError."""
        for endpoint in self.endpoints:
            if endpoint.name == name:
                return endpoint
        raise KeyError(name)

    def variables_of(self, service: ServiceName) -> dict[str, Variable]:
        """The variables that a service must have."""
        return {name: v for name, v in self.variables.items() if service in v.services}

    def worker_poll_seconds(self) -> float:
        """§2 Worker Configuration: seconds between two looks at the queue."""
        return float(self.variables["WORKER_POLL_INTERVAL"].value or 0)
