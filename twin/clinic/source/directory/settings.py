"""Settings of the service, read from the environment once at start-up."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

REQUIRED = (
    "APP_ENV",
    "RELEASE_VERSION",
    "API_BASE_URL",
    "DATABASE_URL",
    "DB_SCHEMA",
    "DIRECTORY_API_TOKEN",
    "MAX_PAGE_SIZE",
    "REQUEST_LIMIT_BYTES",
)


class MissingSetting(RuntimeError):
    """A variable without which the service cannot start."""


def _list(name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in os.environ.get(name, "").split(",") if part.strip())


@dataclass(frozen=True)
class Settings:
    """The settings of the service."""

    environment: str
    release: str
    commit: str
    base_url: str
    database_url: str = field(repr=False)
    schema: str
    token: str = field(repr=False)
    max_page_size: int
    request_limit_bytes: int
    log_format: str
    origins: tuple[str, ...]
    hosts: tuple[str, ...]


def load() -> Settings:
    """The settings; raises MissingSetting naming the variables that are absent."""
    missing = [name for name in REQUIRED if not os.environ.get(name)]
    if missing:
        raise MissingSetting("missing environment variables: " + ", ".join(missing))
    return Settings(
        environment=os.environ["APP_ENV"],
        release=os.environ["RELEASE_VERSION"],
        commit=os.environ.get("RELEASE_COMMIT", "unknown"),
        base_url=os.environ["API_BASE_URL"],
        database_url=os.environ["DATABASE_URL"],
        schema=os.environ["DB_SCHEMA"],
        token=os.environ["DIRECTORY_API_TOKEN"],
        max_page_size=int(os.environ["MAX_PAGE_SIZE"]),
        request_limit_bytes=int(os.environ["REQUEST_LIMIT_BYTES"]),
        log_format=os.environ.get("LOG_FORMAT", "json"),
        origins=_list("ALLOWED_ORIGINS"),
        hosts=_list("ALLOWED_HOSTS"),
    )
