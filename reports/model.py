"""What a run recorded and what is concluded from it, as plain values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from gate.checks import CheckFacts
from gate.messages import expected_text, observed_text
from reports.schema import FindingData

Outcome = Literal["passed", "failed", "skipped", "blocked", "not judged"]
Verdict = Literal["pass", "fail", "blocked"]


@dataclass
class Check:
    """One check and its outcome. `duration` is in seconds, `ended` in seconds since 1970 (0: not known)."""

    nodeid: str
    outcome: Outcome
    facts: CheckFacts = field(default_factory=CheckFacts)
    duration: float = 0.0
    ended: float = 0.0
    reason: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    failed_requests: Counter[str] = field(default_factory=Counter)

    def take(self, facts: CheckFacts) -> None:
        """Keep what the report of one phase carries; a later phase says more only where it did not pass."""
        for name, (count, failed) in facts.asked.items():
            self.asked[name] += count
            self.failed_requests[name] += failed
        if not self.facts.checklist or facts.failure or facts.blocked_by or facts.not_judged:
            self.facts = facts

    @property
    def name(self) -> str:
        """Name of the function with its parameters."""
        return self.nodeid.rpartition("::")[2]

    @property
    def suite(self) -> str:
        """The folder of the check's module."""
        return self.nodeid.partition("::")[0].rpartition("/")[0].rpartition("/")[2]

    @property
    def expected(self) -> str:
        """What was expected, as text."""
        if self.facts.failure is None:
            return ""
        found = self.facts.failure
        return expected_text(found["what"], found["relation"], found["expected"], found["because"])

    @property
    def evidence(self) -> str:
        """What was observed, in one line."""
        return observed_text(self.facts.failure["observed"]) if self.facts.failure else self.facts.reason or self.reason


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
