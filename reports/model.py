"""What a run recorded and what is concluded from it, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gate.checks import CheckFacts
from gate.failures import Exchange, Value
from gate.messages import expected_text, observed_text
from reports.rules import Rule
from spec.codes import declared

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
    worked_requests: Counter[str] = field(default_factory=Counter)

    def take(self, facts: CheckFacts) -> None:
        """Keep what the report of one phase carries; a later phase says more only where it did not pass."""
        for name, (count, failed, worked) in facts.asked.items():
            self.asked[name] += count
            self.failed_requests[name] += failed
            self.worked_requests[name] += worked
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


@dataclass(frozen=True)
class Fact:
    """One thing that is wrong, as one check saw it; `about` is the check's own code, `check` its node id.

    `is_blocked`: the check could not run, because a prerequisite is unavailable.
    """

    code: str
    subject: str
    component: str
    check: str
    about: str = ""
    section: str = ""
    promise: str = ""
    relation: str = ""
    expected: Value = None
    observed: Mapping[str, Value] = field(default_factory=dict)
    what: str = ""
    because: str = ""
    hint: str = ""
    exchange: Exchange | None = None
    is_blocked: bool = False

    @property
    def name(self) -> str:
        """The subject without its kind."""
        return self.subject.partition(" ")[2] or self.subject

    @property
    def seen(self) -> str:
        """What tells it from other failures of the same code and subject: the status or the kind of error that was observed."""
        return str(self.observed.get("status") or self.observed.get("error") or "")


@dataclass
class Finding:
    """A cause, with the facts that prove it and the checks that it explains.

    `proven`: a rule holds for it; `failure_mode` is that rule's. `explained` are facts downstream that show its symptom.
    """

    component: str
    code: str
    facts: list[Fact]
    rule: Rule | None = None
    explained: list[Fact] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    suspected: list[str] = field(default_factory=list)

    @property
    def checks(self) -> list[str]:
        """The failed checks that it accounts for."""
        return list(dict.fromkeys(fact.check for fact in (*self.facts, *self.explained) if not fact.is_blocked))

    @property
    def reach(self) -> int:
        """Number of checks that failed or were blocked by it."""
        return len(self.checks) + len(set(self.blocked))

    @property
    def failure_mode(self) -> str | None:
        """The failure mode that is proven, if any."""
        return self.rule.failure_mode if self.rule else None

    @property
    def harm(self) -> str:
        """The worst class of harm among what was seen and what it brought about, or what the rule says."""
        codes = declared()
        found = [codes.codes[fact.code].harm for fact in (*self.facts, *self.explained)]
        if self.rule and self.rule.harm:
            found.append(self.rule.harm)
        return min(found, key=codes.rank, default="unjudged")

    @property
    def confidence(self) -> str:
        """proven: a rule holds. observed: the facts themselves are the finding. likely: only symptoms were seen."""
        if self.rule and self.rule.failure_mode:
            return "proven"
        return "likely" if declared().codes[self.code].symptom else "observed"
