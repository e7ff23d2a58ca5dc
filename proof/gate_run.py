"""One run of the gate in a process of its own, and what it concluded; for everything that judges the gate itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DID_NOT_END = -1
SHOWN = 1500


@dataclass
class Concluded:
    """Exit code (-1: killed at its deadline), seconds to the verdict, verdict.json (empty: none), end of the terminal."""

    exit_code: int
    seconds: float
    verdict: dict[str, Any]
    tail: str

    @property
    def checks(self) -> list[dict[str, Any]]:
        """All checks of the verdict."""
        return [check for item in self.verdict.get("checklist", []) for check in item["checks"]]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Findings of the verdict, the most important first."""
        return list(self.verdict.get("findings", []))

    def named(self, *statuses: str) -> list[str]:
        """Ids of the checks with one of these outcomes."""
        return [check["id"] for check in self.checks if check["status"] in statuses]


def command(suite: str, out: Path, arguments: Sequence[str]) -> list[str]:
    """How the gate is called; `suite` is a marker expression or one module."""
    which = [suite] if suite.endswith(".py") or "::" in suite else ["-m", suite]
    return [sys.executable, "-m", "pytest", *which, f"--out={out}", "--no-summary", *arguments]


def read_verdict(out: Path) -> dict[str, Any]:
    """verdict.json of a results folder, or nothing."""
    file = out / "verdict.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


def run_gate(suite: str, out: Path, arguments: Sequence[str], seconds: float) -> Concluded:
    """Run it to its end, or until its deadline."""
    started = time.monotonic()
    try:
        done = subprocess.run(command(suite, out, arguments), capture_output=True, text=True, timeout=seconds)
        code, tail = done.returncode, done.stdout[-SHOWN:]
    except subprocess.TimeoutExpired:
        code, tail = DID_NOT_END, "the run did not end"
    return Concluded(code, time.monotonic() - started, read_verdict(out), tail)
