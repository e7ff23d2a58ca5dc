"""The API written again on aiohttp, from the contract alone: a release of its own for the variant of that name."""

from __future__ import annotations

import shutil
from pathlib import Path

SOURCE = Path(__file__).parent / "source"


def replace_api(source: Path) -> None:
    """Put this API in place of the other in a release; worker and migrations stay as they are."""
    shutil.rmtree(source / "api")
    shutil.copytree(SOURCE, source, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))


def api_command(port: int, cert_file: str, key_file: str) -> list[str]:
    """Arguments of Python that serve the API over TLS on loopback."""
    return ["-m", "main", "--host", "127.0.0.1", "--port", str(port), "--certificate", cert_file, "--key", key_file]
