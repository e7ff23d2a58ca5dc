"""Findings as a policy sees them, and which of them count: a known issue does not, until it expires."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reports.model import Finding
from spec.codes import declared
from spec.model.policy import KnownIssue, Policy, Steadiness


@dataclass(frozen=True)
class Judged:
    """What a rule may ask of a finding. `facts` are code, subject and component of each thing that proves it."""

    id: str
    harm: str
    confidence: str
    component: str
    code: str = ""
    failure_mode: str = ""
    sections: frozenset[str] = frozenset()
    suites: frozenset[str] = frozenset()
    steadiness: Steadiness = "unknown"
    facts: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Counted:
    """A finding, and the issues that it is: it counts unless each of its facts is known; `expired` would have covered it."""

    finding: Judged
    known: tuple[KnownIssue, ...] = ()
    expired: tuple[KnownIssue, ...] = field(default=())

    @property
    def counts(self) -> bool:
        """Whether it counts against the release."""
        return not self.known


def judged(finding: Finding, identifier: str, again: Mapping[str, str]) -> Judged:
    """A finding as rules see it; `again` says for a check how often it failed when it was run again, such as "2 of 3"."""
    checks = [*finding.checks, *finding.blocked]
    return Judged(
        identifier,
        finding.harm,
        finding.confidence,
        finding.component,
        finding.code,
        finding.failure_mode or "",
        frozenset(fact.section for fact in finding.facts if fact.section),
        frozenset(suite_of(check) for check in checks),
        steadiness_of([again[check] for check in finding.checks if check in again]),
        tuple(dict.fromkeys((fact.code, fact.subject, fact.component) for fact in finding.facts)),
    )


def suite_of(check: str) -> str:
    """The folder of a check's module, by its node id."""
    return check.partition("::")[0].rpartition("/")[0].rpartition("/")[2]


def steadiness_of(again: Sequence[str]) -> Steadiness:
    """steady: one of its checks failed each time that it was run. unknown: none was run again."""
    runs = [tuple(int(number) for number in text.split(" of ")) for text in again]
    if not runs:
        return "unknown"
    return "steady" if any(failed == all_runs for failed, all_runs in runs) else "intermittent"


def count(findings: Sequence[Judged], policy: Policy, now: datetime.datetime) -> list[Counted]:
    """Each finding with the known issues that it is; the day of expiry is included."""
    today = now.astimezone(policy.tz).date()
    valid = [issue for issue in policy.known if issue.expires >= today]
    expired = [issue for issue in policy.known if issue.expires < today]
    return [_counted(finding, valid, expired) for finding in findings]


def _counted(finding: Judged, valid: Sequence[KnownIssue], expired: Sequence[KnownIssue]) -> Counted:
    by = _covering(finding, valid)
    return Counted(finding, known=by) if by else Counted(finding, expired=_touching(finding, expired))


def _covering(finding: Judged, issues: Sequence[KnownIssue]) -> tuple[KnownIssue, ...]:
    """The issues that account for every fact of a finding and for its harm; none where a fact is left."""
    found = []
    for fact in finding.facts:
        covering = next((issue for issue in issues if issue.is_about(*fact) and _accepts(issue, finding, fact[0])), None)
        if covering is None:
            return ()
        found.append(covering)
    return tuple({issue.id: issue for issue in found}.values())


def _touching(finding: Judged, issues: Sequence[KnownIssue]) -> tuple[KnownIssue, ...]:
    return tuple(issue for issue in issues if any(issue.is_about(*fact) for fact in finding.facts))


def _accepts(issue: KnownIssue, finding: Judged, code: str) -> bool:
    """Whether a finding did no worse than what was accepted; what it did in other parts belongs to it."""
    codes = declared()
    if finding.harm not in codes.harms or (not issue.at_most and code not in codes.codes):
        return False
    return codes.rank(finding.harm) >= codes.rank(issue.at_most or codes.codes[code].harm)
