"""The navigator's twin before it starts: environments, behaviour and source tree, which changes may modify."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import jwt

from twin import environments, keys
from twin.certificates import Issue
from twin.config import TwinConfig
from twin.envfile import write_env
from twin.ports import free_ports
from twin.release import Release, copy_source, replace_in
from twin.running import uvicorn_command

__all__ = ["Plan", "free_ports", "make", "write_env"]

SOURCE = Path(__file__).parent / "source"
PARTS = (
    "api",
    "api_inner",
    "plain",
    "supabase",
    "openai",
    "llamaparse",
    "anthropic",
    "render",
    "postgres",
    "postgres_inner",
)
PROJECT_REF = "staging-project"
KEY_SECONDS = 10 * 365 * 24 * 3600


@dataclass(kw_only=True)
class Plan(Release):
    """The plan of one navigator twin."""

    config: TwinConfig
    # `worker` and every name that begins with it is a worker.
    processes: list[str] = field(default_factory=lambda: ["api", "worker"])
    # Other people's traffic: all the time (`meanwhile`), or before the services are restarted (`before`).
    company: Literal["", "meanwhile", "before"] = ""
    # Certificates of parts that do not present the usual one, by part.
    certificates: dict[str, Issue] = field(default_factory=dict)
    # Settings of the database's server beside its own.
    postgres_settings: dict[str, str] = field(default_factory=dict)
    # Whether the host starts a service again that has ended, and ends one that breaks its limit of memory.
    restarts: bool = True
    # What is changed in the source tree of release N+1 (twin/release_next.py).
    next_steps: list[Callable[[Path], None]] = field(default_factory=list)
    # Arguments of Python that serve the API on a port with a certificate and its key.
    api_command: Callable[[int, str, str], list[str]] = uvicorn_command

    @property
    def behaviour(self) -> dict[str, Any]:
        """Settings that make doubles misbehave, by the double's name."""
        return self.config.behaviour

    def place_before(self, part: str, **options: Any) -> None:
        """Put something in front of a part (options of `doubles/edge.py`); several changes add up."""
        before = self.behaviour.setdefault("edge", {}).setdefault(part, {})
        for name, value in options.items():
            before[name] = before.get(name, {}) | value if isinstance(value, dict) else value

    def listen(self, part: str, **options: Any) -> None:
        """How a part listens (options of `serve.py`)."""
        self.behaviour.setdefault("listen", {}).setdefault(part, {}).update(options)

    def answer_plainly(self, **options: Any) -> None:
        """Have something answer plain http of the API (options of `doubles/plain.py`), where the operator knows of it."""
        self.behaviour["plain"] = options
        self.config.operator_env["HARNESS_HTTP_URL"] = f"http://localhost:{self.config.ports['plain']}"

    def offer_database_tls(self, **options: Any) -> None:
        """Have a pooler with TLS in front of the database (options of `doubles/line.py`), whose authority is known."""
        self.behaviour.setdefault("postgres", {"delay": 0}).update({"tls": True, **options})
        self.config.operator_env["HARNESS_DATABASE_CA_FILE"] = self.config.ca_file

    def set_variable(self, service: str, name: str, value: str) -> None:
        """Set a variable of `api` or `worker`; raises ValueError for another service."""
        if service not in ("api", "worker"):
            raise ValueError(f"there is no service {service!r}: expected api or worker")
        (self.set_api if service == "api" else self.set_worker)(name, value)

    def set_both(self, name: str, value: str | None) -> None:
        """Set (or with None remove) a variable in both services and in the operator's file."""
        for env in (self.config.api_env, self.config.worker_env, self.config.operator_env):
            if value is None:
                env.pop(name, None)
            elif env is not self.config.worker_env or name in env:
                env[name] = value

    def change_next(self, path: str, old: str, new: str) -> None:
        """Change release N+1; the twin does not start when its file does not contain the text."""
        self.next_steps.append(lambda tree: replace_in(tree, path, old, new))

    def use_keys(self, *, opaque: bool, algorithm: str) -> None:
        """Give the Supabase project opaque keys (or leave its JWTs), and sign users' tokens with ES256 or RS256.

        Raises ValueError for another algorithm.
        """
        config = self.config
        config.signing_algorithm, config.signing_key = algorithm, keys.private_key(algorithm)
        if not opaque:
            return
        config.key_style = "new"
        config.anon_key, config.service_role_key = keys.opaque("publishable"), keys.opaque("secret")
        for env in (config.api_env, config.worker_env, config.operator_env):
            env |= environments.project_keys(config)
        # There is no shared secret any more; the operator has imported the private key, and so knows it.
        config.operator_env.pop("SUPABASE_JWT_SECRET", None)
        config.operator_env["SUPABASE_JWT_SIGNING_KEY"] = keys.as_jwk(config.signing_key, algorithm)

    def set_api(self, name: str, value: str | None) -> None:
        """Set or remove a variable of the API, in its environment and in the operator's file."""
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


def _project_key(secret: str, role: str) -> str:
    now = int(time.time())
    claims = {"iss": "supabase", "ref": PROJECT_REF, "role": role, "iat": now, "exp": now + KEY_SECONDS}
    return jwt.encode(claims, secret, algorithm="HS256")


def make(folder: Path, speedup: float) -> Plan:
    """A healthy twin in this folder."""
    source = copy_source(SOURCE, folder)
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
        management_token=f"staging-management-{secrets.token_hex(16)}",
        commit=secrets.token_hex(20),
        speedup=speedup,
    )
    environments.fill(config, password, source)
    return Plan(config=config, source=source, database_password=password)
