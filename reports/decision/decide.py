"""The decision: promote, hold or roll back, by the first rule of a policy that holds. Pure functions over what was found."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reports.decision.counted import Counted, Judged, count
from reports.model import Verdict
from spec.model.policy import WEEKDAYS, Action, Policy, PolicyRule

NO_RULE = "no rule of the policy holds"


@dataclass(frozen=True)
class RunSeen:
    """What a rule may ask of the run. `is_whole`: it ended by itself and judged something."""

    verdict: Verdict
    kind: str
    now: datetime.datetime
    is_whole: bool = True
    interrupted: bool = False
    strict: bool = False
    not_judged: int = 0
    passed: int = 1


@dataclass(frozen=True)
class Decision:
    """What becomes of the release, the rule that decided, the findings that it decided by, and what was counted."""

    action: Action
    rule: str
    because: tuple[str, ...]
    counted: tuple[Counted, ...]
    at: datetime.datetime


def decide(policy: Policy, run: RunSeen, findings: Sequence[Judged]) -> Decision:
    """The first rule that holds decides; where none does, the release is held."""
    counted = tuple(count(findings, policy, run.now))
    counting = [each.finding for each in counted if each.counts]
    local = run.now.astimezone(policy.tz)
    for rule in policy.rule:
        if not _holds_of_run(rule, run, local):
            continue
        matching = [finding for finding in counting if matches(rule, finding)]
        if _holds_of_findings(rule, counting, matching) and (rule.action != "promote" or _may_promote(rule, run)):
            return Decision(rule.action, rule.name, tuple(finding.id for finding in matching), counted, local)
    return Decision("hold", NO_RULE, tuple(finding.id for finding in counting), counted, local)


def _holds_of_run(rule: PolicyRule, run: RunSeen, local: datetime.datetime) -> bool:
    return (
        (not rule.verdicts or run.verdict in rule.verdicts)
        and (not rule.targets or run.kind in rule.targets)
        and rule.interrupted in (None, run.interrupted)
        and rule.strict in (None, run.strict)
        and rule.not_judged in (None, run.not_judged > 0)
        and (not rule.weekdays or WEEKDAYS[local.weekday()] in rule.weekdays)
        and rule.is_within_hours(local.time())
    )


def _holds_of_findings(rule: PolicyRule, counting: Sequence[Judged], matching: Sequence[Judged]) -> bool:
    """Holding and rolling back take one finding; promoting takes that each finding is one that the rule names."""
    if not asks_of_findings(rule):
        return not counting if rule.action == "promote" else True
    return len(matching) == len(counting) if rule.action == "promote" else bool(matching)


def _may_promote(rule: PolicyRule, run: RunSeen) -> bool:
    """Nothing is promoted by a run that did not end, judged nothing, or was blocked, unless the rule names blocked runs."""
    return run.is_whole and not run.interrupted and run.passed > 0 and (run.verdict != "blocked" or "blocked" in rule.verdicts)


def asks_of_findings(rule: PolicyRule) -> bool:
    """Whether a rule has a condition that a finding must meet."""
    return bool(
        rule.harms or rule.confidence or rule.suites or rule.components or rule.sections
        or rule.failure_modes or rule.codes or rule.except_codes or rule.steadiness
    )  # fmt: skip


def matches(rule: PolicyRule, finding: Judged) -> bool:
    """Whether a finding meets every condition of a rule."""
    return (
        (not rule.harms or finding.harm in rule.harms)
        and (not rule.confidence or finding.confidence in rule.confidence)
        and (not rule.components or finding.component in rule.components)
        and (not rule.failure_modes or finding.failure_mode in rule.failure_modes)
        and (not rule.steadiness or finding.steadiness in rule.steadiness)
        and (not rule.suites or bool(finding.suites & set(rule.suites)))
        and (not rule.sections or any(fnmatchcase(s, pattern) for s in finding.sections for pattern in rule.sections))
        and (not rule.codes or any(fnmatchcase(finding.code, pattern) for pattern in rule.codes))
        and not any(fnmatchcase(finding.code, pattern) for pattern in rule.except_codes)
    )
