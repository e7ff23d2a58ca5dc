"""What a run recorded and what is concluded from it, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["passed", "failed", "skipped", "blocked", "flaky"]
Verdict = Literal["pass", "fail", "blocked"]
UNITS = 3


@dataclass
class Check:
    """One check and its outcome. `duration` is in seconds."""

    nodeid: str
    outcome: Outcome
    checklist: str = ""
    component: str = ""
    section: str = ""
    promise: str = ""
    expected: str = ""
    observed: str = ""
    look: str = ""
    blocked_by: str = ""
    reason: str = ""
    suite: str = ""
    duration: float = 0.0

    @property
    def name(self) -> str:
        """Name of the function with its parameters."""
        return self.nodeid.rpartition("::")[2]

    @property
    def evidence(self) -> str:
        """What was observed, in one line."""
        return self.observed or self.reason


@dataclass
class Finding:
    """A cause, with the checks that it explains."""

    component: str
    summary: str
    failure_mode: str | None = None
    section: str = ""
    expected: str = ""
    evidence: str = ""
    causes: list[str] = field(default_factory=list)
    next_step: str = ""
    category: str = ""
    tests: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    rank: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For verdict.json."""
        return asdict(self)
