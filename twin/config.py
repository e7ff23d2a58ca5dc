"""Configuration of the twin's processes: one JSON file, written by the supervisor and read by every double."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONFIG_VARIABLE = "TWIN_CONFIG"


@dataclass
class TwinConfig:
    """Addresses, keys and behaviour of one twin. Delays are in seconds."""

    folder: str
    ports: dict[str, int]
    ca_file: str
    cert_file: str
    key_file: str
    database_admin_url: str
    jwt_secret: str
    anon_key: str
    service_role_key: str
    openai_key: str
    llamaparse_key: str
    anthropic_key: str
    render_key: str
    project_ref: str
    commit: str
    speedup: float
    # Where a part listens that others reach over a link, by part; without drills all of them listen at 127.0.0.1.
    behind: dict[str, str] = field(default_factory=dict)
    # Of an operator, for Supabase's management API.
    management_token: str = ""
    # legacy: keys are JWTs of the shared secret; new: opaque keys, and the shared secret is not trusted.
    key_style: str = "legacy"
    signing_algorithm: str = "HS256"
    # The private key of ES256 or RS256, as PEM.
    signing_key: str = ""
    api_env: dict[str, str] = field(default_factory=dict)
    worker_env: dict[str, str] = field(default_factory=dict)
    operator_env: dict[str, str] = field(default_factory=dict)
    behaviour: dict[str, Any] = field(default_factory=dict)

    def url(self, name: str) -> str:
        """Public base URL of a part of the twin."""
        return f"https://localhost:{self.ports[name]}"

    def save(self, path: Path) -> None:
        """Write for the other processes; readable by the owner only, because it holds keys."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(dataclasses.asdict(self), file)


def load() -> TwinConfig:
    """The configuration of the twin that started this process."""
    return TwinConfig(**json.loads(Path(os.environ[CONFIG_VARIABLE]).read_text()))
