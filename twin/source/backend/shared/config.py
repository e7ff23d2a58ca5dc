"""Settings of both services, read from the environment once at start-up."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

REQUIRED = (
    "ENVIRONMENT",
    "DATABASE_URL",
    "DATABASE_SCHEMA",
    "SUPABASE_URL",
    "SUPABASE_STORAGE_URL",
    "SUPABASE_ANON_KEY",
    "SUPABASE_SERVICE_ROLE_KEY",
    "API_BASE_URL",
)


class MissingSetting(RuntimeError):
    """A variable without which the service cannot start."""


def _flag(name: str) -> bool:
    return os.environ.get(name, "false").lower() == "true"


def _text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def _list(name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in _text(name).split(",") if part.strip())


@dataclass(frozen=True)
class Config:
    """The settings of the API and the worker."""

    environment: str = field(default_factory=lambda: _text("ENVIRONMENT"))
    debug: bool = field(default_factory=lambda: _flag("DEBUG"))
    version: str = field(default_factory=lambda: _text("APP_VERSION"))
    commit: str = field(default_factory=lambda: _text("RENDER_GIT_COMMIT", "unknown"))
    database_url: str = field(default_factory=lambda: _text("DATABASE_URL"))
    schema: str = field(default_factory=lambda: _text("DATABASE_SCHEMA"))
    supabase_url: str = field(default_factory=lambda: _text("SUPABASE_URL"))
    storage_url: str = field(default_factory=lambda: _text("SUPABASE_STORAGE_URL"))
    anon_key: str = field(default_factory=lambda: _text("SUPABASE_ANON_KEY"))
    service_key: str = field(default_factory=lambda: _text("SUPABASE_SERVICE_ROLE_KEY"))
    api_base_url: str = field(default_factory=lambda: _text("API_BASE_URL"))
    cors_origins: tuple[str, ...] = field(default_factory=lambda: _list("CORS_ORIGINS"))
    openai_key: str = field(default_factory=lambda: _text("OPENAI_API_KEY"))
    openai_url: str = field(default_factory=lambda: _text("OPENAI_BASE_URL", "https://api.openai.com/v1"))
    llamaparse_key: str = field(default_factory=lambda: _text("LLAMAPARSE_API_KEY"))
    llamaparse_url: str = field(default_factory=lambda: _text("LLAMAPARSE_BASE_URL", "https://api.cloud.llamaindex.ai"))
    anthropic_key: str = field(default_factory=lambda: _text("ANTHROPIC_API_KEY"))
    anthropic_url: str = field(default_factory=lambda: _text("ANTHROPIC_BASE_URL", "https://api.anthropic.com"))
    similarity_threshold: float = field(default_factory=lambda: float(_text("RAG_SIMILARITY_THRESHOLD", "0.3")))
    max_chunks: int = field(default_factory=lambda: int(_text("RAG_MAX_CHUNKS", "10")))
    token_budget: int = field(default_factory=lambda: int(_text("RAG_TOKEN_BUDGET", "4000")))
    embedding_model: str = field(default_factory=lambda: _text("RAG_EMBEDDING_MODEL", "text-embedding-3-small"))
    vector_dimension: int = field(default_factory=lambda: int(_text("RAG_VECTOR_DIMENSION", "1536")))
    poll_interval: float = field(default_factory=lambda: float(_text("WORKER_POLL_INTERVAL", "30")))
    max_retries: int = field(default_factory=lambda: int(_text("WORKER_MAX_RETRIES", "3")))
    retry_base_delay: float = field(default_factory=lambda: float(_text("WORKER_RETRY_BASE_DELAY", "5")))
    speedup: float = field(default_factory=lambda: float(_text("TWIN_SPEEDUP", "1")))
    patience_speedup: float = field(default_factory=lambda: float(_text("TWIN_PATIENCE_SPEEDUP", "1")))


def load() -> Config:
    """The configuration; raises MissingSetting naming the absent variables, so that no service starts half configured."""
    missing = [name for name in REQUIRED if not os.environ.get(name)]
    if missing:
        raise MissingSetting("missing environment variables: " + ", ".join(missing))
    return Config()
