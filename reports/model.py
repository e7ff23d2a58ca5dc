"""What a run recorded and what is concluded from it, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from reports.schema import FindingData

Outcome = Literal["passed", "failed", "skipped", "blocked", "not judged"]
Verdict = Literal["pass", "fail", "blocked"]


@dataclass
class Check:
    """One check and its outcome. `duration` is in seconds, `ended` in seconds since 1970 (0: not known)."""

    nodeid: str
    outcome: Outcome
    checklist: str = ""
    component: str = ""
    section: str = ""
    promise: str = ""
    expected: str = ""
    observed: str = ""
    hint: str = ""
    blocked_by: str = ""
    not_judged: str = ""
    to_set: str = ""
    reason: str = ""
    duration: float = 0.0
    ended: float = 0.0

    @property
    def name(self) -> str:
        """Name of the function with its parameters."""
        return self.nodeid.rpartition("::")[2]

    @property
    def suite(self) -> str:
        """The folder of the check's module."""
        return self.nodeid.partition("::")[0].rpartition("/")[0].rpartition("/")[2]

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

    def as_data(self) -> FindingData:
        """For verdict.json."""
        return {
            "component": self.component,
            "summary": self.summary,
            "failure_mode": self.failure_mode,
            "section": self.section,
            "expected": self.expected,
            "evidence": self.evidence,
            "causes": self.causes,
            "next_step": self.next_step,
            "category": self.category,
            "tests": self.tests,
            "blocked": self.blocked,
            "rank": self.rank,
        }
