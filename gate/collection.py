"""The checks of a specification as a plugin describes them, collected by pytest in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from gate.exit_codes import ExitCode
from gate.places import ACCEPTANCE, ROOT
from gate.settings import ConfigurationError

COLLECT_SECONDS = 300.0


def collected_by(plugin: str, option: str, spec: Path) -> list[dict[str, Any]]:
    """What a plugin writes as JSON into the file that its option names; raises ConfigurationError without a collection."""
    with tempfile.TemporaryDirectory(prefix="collected-") as folder:
        result = Path(folder) / "checks.json"
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", plugin, f"{option}={result}"]
        done = subprocess.run(
            [*command, f"--spec={spec}", str(ACCEPTANCE)],
            cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=COLLECT_SECONDS,
        )  # fmt: skip
        if done.returncode != ExitCode.PASS or not result.exists():
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no checks were collected"]
            raise ConfigurationError(f"the checks cannot be collected: {lines[-1]}")
        found: list[dict[str, Any]] = json.loads(result.read_text())
        return found
