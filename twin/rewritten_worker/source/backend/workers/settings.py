"""What the worker is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NEEDED = (
    "ENVIRONMENT",
    "DATABASE_URL",
    "DATABASE_SCHEMA",
    "SUPABASE_URL",
    "SUPABASE_STORAGE_URL",
    "SUPABASE_ANON_KEY",
    "SUPABASE_SERVICE_ROLE_KEY",
    "API_BASE_URL",
)
# However impatient a deployment is, nobody answers over a network faster than this.
LEAST_PATIENCE = 3.0
# A lease that is shorter would end while a busy machine lets its holder wait.
SHORTEST_LEASE = 6.0
LEASE = 120.0
# A signed upload URL lives for 300 s, and a slow upload may begin at its end.
UPLOAD_WINDOW = 450.0
# The vendor has this long to call back before it is asked.
CALLBACK_WINDOW = 600.0
REST = 30.0


class Unusable(ValueError):
    """Settings with which no worker can work; the message names the variables, and no value."""


@dataclass(frozen=True)
class Settings:
    """Settings of one worker; all seconds are what the process really waits."""

    database_url: str
    schema: str
    storage_url: str
    service_key: str
    callback_base: str
    llamaparse_url: str
    llamaparse_key: str
    openai_url: str
    openai_key: str
    model: str
    dimension: int
    version: str
    commit: str
    poll_seconds: float
    retries: int
    backoff_seconds: float
    lease_seconds: float
    upload_window: float
    callback_window: float
    rest_seconds: float
    patience_divisor: float

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Settings:
        """Read them; raises Unusable."""
        absent = [name for name in NEEDED if not env.get(name, "").strip()]
        if absent:
            raise Unusable("missing environment variables: " + ", ".join(absent))
        # Rehearsals run faster than life: every wait is divided.
        pace = _number(env, "TWIN_SPEEDUP", 1.0)
        return cls(
            database_url=env["DATABASE_URL"],
            schema=env["DATABASE_SCHEMA"],
            storage_url=env["SUPABASE_STORAGE_URL"].rstrip("/"),
            service_key=env["SUPABASE_SERVICE_ROLE_KEY"],
            callback_base=env["API_BASE_URL"].rstrip("/"),
            llamaparse_url=env.get("LLAMAPARSE_BASE_URL", "https://api.cloud.llamaindex.ai").rstrip("/"),
            llamaparse_key=env.get("LLAMAPARSE_API_KEY", ""),
            openai_url=env.get("OPENAI_BASE_URL", "https://api.openai.com/v1").rstrip("/"),
            openai_key=env.get("OPENAI_API_KEY", ""),
            model=env.get("RAG_EMBEDDING_MODEL", "text-embedding-3-small"),
            dimension=int(_number(env, "RAG_VECTOR_DIMENSION", 1536)),
            version=env.get("APP_VERSION", ""),
            commit=env.get("RENDER_GIT_COMMIT", "unknown"),
            poll_seconds=_number(env, "WORKER_POLL_INTERVAL", 30.0) / pace,
            retries=int(_number(env, "WORKER_MAX_RETRIES", 3, least=0.0)),
            backoff_seconds=_number(env, "WORKER_RETRY_BASE_DELAY", 5.0, least=0.0) / pace,
            lease_seconds=max(SHORTEST_LEASE, LEASE / pace),
            upload_window=UPLOAD_WINDOW / pace,
            callback_window=CALLBACK_WINDOW / pace,
            rest_seconds=REST / pace,
            patience_divisor=_number(env, "TWIN_PATIENCE_SPEEDUP", 1.0),
        )

    def patience(self, seconds: float) -> float:
        """How long to wait for an answer that should come within so many seconds."""
        return max(seconds / self.patience_divisor, min(seconds, LEAST_PATIENCE))


def _number(env: Mapping[str, str], name: str, default: float, least: float = 0.001) -> float:
    try:
        value = float(env.get(name) or default)
    except ValueError:
        raise Unusable(f"{name} is not a number") from None
    if not least <= value < float("inf"):
        raise Unusable(f"{name} is out of range")
    return value
