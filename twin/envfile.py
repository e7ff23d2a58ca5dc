"""Env files, and the environment that every process of the twin starts with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


def base_env(ca_file: str) -> dict[str, str]:
    """The environment of every Python process of the twin; they trust no authority but the twin's own."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"SSL_CERT_FILE": ca_file, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """Write an env file that only its owner can read."""
    lines = "".join(f"{name}={json.dumps(value) if _needs_quotes(value) else value}\n" for name, value in values.items())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(lines)


def _needs_quotes(value: str) -> bool:
    return value != value.strip() or any(c in value for c in "\n\"'#")
