"""A twin before it starts: environments, behaviour and source tree that faults may change."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import trustme

from twin.config import TwinConfig

SOURCE = Path(__file__).parent / "source"
PARTS = ("api", "api_inner", "supabase", "openai", "llamaparse", "anthropic", "render", "postgres", "postgres_inner")
PROJECT_REF = "staging-project"
FIRST_PORT = 20000
PORT_PLACES = 1000
KEY_SECONDS = 10 * 365 * 24 * 3600


@dataclass
class Plan:
    """What will be started. `sql` runs as the database's owner after the migrations."""

    config: TwinConfig
    source: Path
    database_password: str
    sql: list[str] = field(default_factory=list)
    processes: list[str] = field(default_factory=lambda: ["api", "worker"])
    certificate: Callable[[trustme.CA], trustme.LeafCert] | None = None
    api_arguments: list[str] = field(default_factory=list)
    may_die: bool = False
    extra_env: dict[str, dict[str, str]] = field(default_factory=dict)

    def replace_in_source(self, path: str, old: str, new: str) -> None:
        """Make the release under test another one; raises ValueError when the text is not there."""
        file = self.source / path
        text = file.read_text()
        if old not in text:
            raise ValueError(f"{path} does not hold {old!r}")
        file.write_text(text.replace(old, new))

    def set_both(self, name: str, value: str | None) -> None:
        """Set (or with None remove) a variable in both services and in the operator's file."""
        for env in (self.config.api_env, self.config.worker_env, self.config.operator_env):
            if value is None:
                env.pop(name, None)
            elif env is not self.config.worker_env or name in env:
                env[name] = value

    def set_api(self, name: str, value: str | None) -> None:
        """Set or remove a variable of the API, as the operator's file shows it."""
        for env in (self.config.api_env, self.config.operator_env):
            if value is None:
                env.pop(name, None)
            else:
                env[name] = value

    def set_worker(self, name: str, value: str | None) -> None:
        """Set or remove a variable of the worker only."""
        if value is None:
            self.config.worker_env.pop(name, None)
        else:
            self.config.worker_env[name] = value


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on now; raises RuntimeError when there are none.

    They lie below the range that the system gives to outgoing connections, in a place that depends on the process id,
    so that twins that start at the same moment do not reach for the same ones.
    """
    for attempt in range(PORT_PLACES):
        first = FIRST_PORT + (os.getpid() + attempt) % PORT_PLACES * count
        ports = list(range(first, first + count))
        if all(map(_is_free, ports)):
            return ports
    raise RuntimeError("no free ports on loopback")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _project_key(secret: str, role: str) -> str:
    now = int(time.time())
    claims = {"iss": "supabase", "ref": PROJECT_REF, "role": role, "iat": now, "exp": now + KEY_SECONDS}
    return jwt.encode(claims, secret, algorithm="HS256")


def make(folder: Path, speedup: float) -> Plan:
    """A healthy twin in this folder."""
    source = folder / "source"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    (folder / "storage").mkdir()
    ports = dict(zip(PARTS, free_ports(len(PARTS)), strict=True))
    secret = secrets.token_hex(32)
    password = secrets.token_hex(16)
    config = TwinConfig(
        folder=str(folder),
        ports=ports,
        ca_file=str(folder / "ca.pem"),
        cert_file=str(folder / "cert.pem"),
        key_file=str(folder / "key.pem"),
        database_admin_url=f"postgresql://postgres:{secrets.token_hex(16)}@127.0.0.1:{ports['postgres']}/staging_db",
        jwt_secret=secret,
        anon_key=_project_key(secret, "anon"),
        service_role_key=_project_key(secret, "service_role"),
        openai_key=f"staging-openai-{secrets.token_hex(16)}",
        llamaparse_key=f"staging-llamaparse-{secrets.token_hex(16)}",
        anthropic_key=f"staging-anthropic-{secrets.token_hex(16)}",
        render_key=f"staging-render-{secrets.token_hex(16)}",
        project_ref=PROJECT_REF,
        commit=secrets.token_hex(20),
        speedup=speedup,
    )
    _fill_environments(config, password, source)
    return Plan(config=config, source=source, database_password=password)


def _fill_environments(config: TwinConfig, password: str, source: Path) -> None:
    port = config.ports["postgres"]
    shared = {
        "ENVIRONMENT": "staging",
        "DEBUG": "false",
        "LOG_LEVEL": "INFO",
        "NODE_ENV": "staging",
        "DATABASE_URL": f"postgresql://staging_user:{password}@localhost:{port}/staging_db",
        "DATABASE_SCHEMA": "upload_pipeline",
        "SUPABASE_DB_HOST": "localhost",
        "SUPABASE_DB_PORT": str(port),
        "SUPABASE_DB_USER": "staging_user",
        "SUPABASE_DB_PASSWORD": password,
        "SUPABASE_DB_NAME": "staging_db",
        "SUPABASE_URL": config.url("supabase"),
        "SUPABASE_SERVICE_ROLE_KEY": config.service_role_key,
        "SERVICE_ROLE_KEY": config.service_role_key,
        "SUPABASE_ANON_KEY": config.anon_key,
        "SUPABASE_STORAGE_URL": f"{config.url('supabase')}/storage/v1",
        "OPENAI_API_KEY": config.openai_key,
        "LLAMAPARSE_API_KEY": config.llamaparse_key,
        "ANTHROPIC_API_KEY": config.anthropic_key,
        "OPENAI_BASE_URL": f"{config.url('openai')}/v1",
        "LLAMAPARSE_BASE_URL": config.url("llamaparse"),
        "ANTHROPIC_BASE_URL": config.url("anthropic"),
        "API_BASE_URL": config.url("api"),
        "RAG_SIMILARITY_THRESHOLD": "0.3",
        "RAG_MAX_CHUNKS": "10",
        "RAG_TOKEN_BUDGET": "4000",
        "RAG_EMBEDDING_MODEL": "text-embedding-3-small",
        "RAG_VECTOR_DIMENSION": "1536",
        "APP_VERSION": "1.0.0-staging",
    }
    config.api_env = shared | {
        "SERVICE_HOST": "0.0.0.0",
        "SERVICE_PORT": "8000",
        "CORS_ORIGINS": "https://staging.accessa.ai,https://staging-app.accessa.ai,https://staging-admin.accessa.ai",
        "KEEP_ALIVE": "75",
        "MAX_REQUESTS": "1000",
        "MAX_REQUESTS_JITTER": "100",
        "WORKERS": "1",
    }
    config.worker_env = shared | {
        "WORKER_POLL_INTERVAL": "30",
        "WORKER_MAX_RETRIES": "3",
        "WORKER_RETRY_BASE_DELAY": "5",
        "WORKER_LOG_LEVEL": "INFO",
    }
    config.operator_env = config.api_env | {
        "HARNESS_TARGET_NAME": "twin",
        "HARNESS_CA_FILE": config.ca_file,
        "HARNESS_SOURCE_TREE": str(source),
        "HARNESS_WORKER_ENV_FILE": str(Path(config.folder) / "worker.env"),
        "HARNESS_EXPECTED_COMMIT": config.commit,
        "HARNESS_SPEEDUP": f"{config.speedup:g}",
        "SUPABASE_JWT_SECRET": config.jwt_secret,
        "RENDER_API_KEY": config.render_key,
        "RENDER_BASE_URL": config.url("render"),
    }


def write_env(path: Path, values: dict[str, Any]) -> None:
    """An env file for the operator's eyes only."""
    lines = "".join(f"{name}={json.dumps(value) if _quote(value) else value}\n" for name, value in values.items())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(lines)


def _quote(value: str) -> bool:
    return value != value.strip() or any(c in value for c in "\n\"'#")
