"""One run of the gate in a process of its own, and what it concluded; for everything that judges the gate itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gate.places import ROOT
from reports.schema import FindingData
from reports.timeline import telling

DID_NOT_END = -1
SHOWN = 1500


@dataclass(frozen=True)
class CheckSeen:
    """One check of verdict.json."""

    id: str
    status: str
    observed: str = ""


@dataclass(frozen=True)
class FindingSeen:
    """One finding of verdict.json."""

    component: str
    title: str
    failure_mode: str | None = None
    evidence: str = ""
    subjects: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    # The line of a service's log that tells the cause.
    quote: str = ""

    def __str__(self) -> str:
        return f"{self.component}{f' [{self.failure_mode}]' if self.failure_mode else ''}: {self.title}"


@dataclass(frozen=True)
class VerdictSeen:
    """What is read of verdict.json. `residue` is the number of things with the run's tag afterwards."""

    verdict: str = ""
    run_id: str = ""
    checks: list[CheckSeen] = field(default_factory=list)
    findings: list[FindingSeen] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    residue: int = 0

    def named(self, *statuses: str) -> list[str]:
        """Ids of the checks with one of these outcomes."""
        return [check.id for check in self.checks if check.status in statuses]


@dataclass(frozen=True)
class Concluded:
    """Exit code (-1: killed at its deadline), seconds to the verdict, what verdict.json says, end of the terminal."""

    exit_code: int
    seconds: float
    verdict: VerdictSeen
    tail: str

    @property
    def top(self) -> FindingSeen | None:
        """The most important finding."""
        return self.verdict.findings[0] if self.verdict.findings else None


def command(suite: str, out: Path, arguments: Sequence[str], modules: Sequence[str] = ()) -> list[str]:
    """How the gate is called; `suite` is a marker expression or one module, `modules` are those that it is limited to."""
    which = [suite] if suite.endswith(".py") or "::" in suite else ["-m", suite]
    return [sys.executable, "-m", "pytest", *which, *modules, f"--out={out}", "--no-summary", *arguments]


def read_verdict(out: Path) -> VerdictSeen:
    """verdict.json of a results folder; without one everything is empty."""
    file = out / "verdict.json"
    if not file.exists():
        return VerdictSeen()
    data = json.loads(file.read_text())
    return VerdictSeen(
        data["verdict"],
        data["run_id"],
        [CheckSeen(check["id"], check["status"], check["observed"]) for item in data["checklist"] for check in item["checks"]],
        [_finding(finding) for finding in data["findings"]],
        data["counts"],
        sum(data["residue"]["after"].values()),
    )


def _finding(data: FindingData) -> FindingSeen:
    subjects, codes = (tuple(fact[name] for fact in data["facts"]) for name in ("subject", "code"))
    entry = telling(data)
    quote = entry["text"] if entry else ""
    return FindingSeen(data["component"], data["title"], data["failure_mode"], data["evidence"], subjects, codes, quote)


def run_gate(suite: str, out: Path, arguments: Sequence[str], seconds: float, modules: Sequence[str] = ()) -> Concluded:
    """Run it to its end, or until its deadline."""
    started = time.monotonic()
    called = command(suite, out, arguments, modules)
    try:
        done = subprocess.run(called, cwd=ROOT, capture_output=True, text=True, timeout=seconds)
        code, tail = done.returncode, done.stdout[-SHOWN:]
    except subprocess.TimeoutExpired:
        code, tail = DID_NOT_END, "the run did not end"
    return Concluded(code, time.monotonic() - started, read_verdict(out), tail)
