"""The API's configuration, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

TRUSTED_HOSTS = ("staging.accessa.ai", "staging-app.accessa.ai", "staging-admin.accessa.ai", "*.render.com")
# The image's health check asks the local host.
LOCAL_HOSTS = ("localhost", "127.0.0.1")
OPENAI = "https://api.openai.com/v1"
LLAMAPARSE = "https://api.cloud.llamaindex.ai"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the process was started with."""

    environment: str
    version: str
    database_url: str
    supabase_url: str
    storage_url: str
    anon_key: str
    service_key: str
    openai_url: str
    openai_key: str
    llamaparse_url: str
    llamaparse_key: str
    origins: frozenset[str]
    hosts: tuple[str, ...]
    threshold: float
    max_chunks: int
    token_budget: int
    embedding_model: str
    dimension: int
    keep_alive: float

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Settings:
        """Raises KeyError naming the first variable that is missing."""
        own_host = urlsplit(env["API_BASE_URL"]).hostname or ""
        return cls(
            environment=env["ENVIRONMENT"],
            version=env["APP_VERSION"],
            database_url=env["DATABASE_URL"],
            supabase_url=env["SUPABASE_URL"].rstrip("/"),
            storage_url=env["SUPABASE_STORAGE_URL"].rstrip("/"),
            anon_key=env["SUPABASE_ANON_KEY"],
            service_key=env["SUPABASE_SERVICE_ROLE_KEY"],
            openai_url=env.get("OPENAI_BASE_URL", OPENAI).rstrip("/"),
            openai_key=env["OPENAI_API_KEY"],
            llamaparse_url=env.get("LLAMAPARSE_BASE_URL", LLAMAPARSE).rstrip("/"),
            llamaparse_key=env["LLAMAPARSE_API_KEY"],
            origins=frozenset(origin.strip() for origin in env["CORS_ORIGINS"].split(",")),
            hosts=(*TRUSTED_HOSTS, *LOCAL_HOSTS, own_host),
            threshold=float(env["RAG_SIMILARITY_THRESHOLD"]),
            max_chunks=int(env["RAG_MAX_CHUNKS"]),
            token_budget=int(env["RAG_TOKEN_BUDGET"]),
            embedding_model=env["RAG_EMBEDDING_MODEL"],
            dimension=int(env["RAG_VECTOR_DIMENSION"]),
            keep_alive=float(env.get("KEEP_ALIVE", "75")),
        )
