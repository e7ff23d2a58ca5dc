"""From failed and blocked checks to causes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypedDict

from gate.prerequisites import BUDGET, TARGET
from reports.model import Check, Finding
from reports.rules import Condition, Rule, Rules
from spec import Specification

# The failure modes at the end of a promise.
MODES = re.compile(r" \([A-Z]\d+[^()]*\)$")
OWN_COMPONENTS = {TARGET: "target", BUDGET: "harness"}


class Observed(TypedDict):
    """What a finding says of its first check."""

    section: str
    expected: str
    evidence: str


def _any(conditions: Iterable[Condition], check: Check) -> bool:
    return any(condition.holds(check) for condition in conditions)


class Diagnosis:
    """Assigns every failed or blocked check to exactly one finding."""

    def __init__(self, checks: Iterable[Check], rules: Rules, spec: Specification) -> None:
        checks = list(checks)
        self._rules = rules
        self._spec = spec
        self._passed = [check.name for check in checks if check.outcome == "passed"]
        self._failed = [check for check in checks if check.outcome == "failed"]
        self._blocked = [check for check in checks if check.outcome == "blocked"]
        self._findings: list[Finding] = []

    def conclude(self) -> list[Finding]:
        """Findings in order: causes that a rule knows, then what is left, by component and by prerequisite."""
        for rule in self._rules.rule:
            self._apply(rule)
        self._adopt_blocked()
        self._rest_by_component()
        self._rest_by_prerequisite()
        for rank, finding in enumerate(self._findings, 1):
            finding.rank = rank
        return self._findings

    def _apply(self, rule: Rule) -> None:
        if any(_any(rule.unless, check) for check in self._failed):
            return
        if rule.none_passed and any(re.match(rule.none_passed, name) for name in self._passed):
            return
        core = [check for check in self._failed if _any(rule.when, check)]
        direct = self._blocked_directly(rule)
        if not core and not direct:
            return
        explained = core + [check for check in self._failed if check not in core and _any(rule.explains, check)]
        downstream = [check for check in self._blocked if check.blocked_by in rule.prerequisites and check not in direct]
        blocked = direct + downstream
        self._failed = [check for check in self._failed if check not in explained]
        self._blocked = [check for check in self._blocked if check not in blocked]
        self._findings.append(
            Finding(
                component=rule.component,
                summary=rule.summary,
                failure_mode=rule.failure_mode,
                category=rule.category,
                causes=list(rule.causes),
                next_step=rule.next,
                tests=[check.nodeid for check in explained],
                blocked=[check.nodeid for check in blocked],
                **_observed((core or direct)[0]),
            )
        )

    def _blocked_directly(self, rule: Rule) -> list[Check]:
        """The blocked checks that prove the rule by themselves."""
        found = [check for check in self._blocked if rule.prerequisite and check.blocked_by == rule.prerequisite]
        if found or not rule.all_prerequisites or self._failed:
            return found
        unavailable = {check.blocked_by for check in self._blocked}
        return list(self._blocked) if unavailable.issuperset(rule.all_prerequisites) else []

    def _adopt_blocked(self) -> None:
        """A prerequisite without a rule of its own lies under the finding that took it away, when there is just one."""
        if len(self._findings) == 1 and not self._failed:
            self._findings[0].blocked += [check.nodeid for check in self._blocked]
            self._blocked = []

    def _rest_by_component(self) -> None:
        for component, checks in _grouped(self._failed, [check.component for check in self._failed]):
            first = checks[0]
            more = f" (and {len(checks) - 1} more)" if len(checks) > 1 else ""
            self._findings.append(
                Finding(
                    component=component,
                    summary=f"promise not kept: {MODES.sub('', first.promise.rstrip('.'))}{more}",
                    category="other",
                    causes=["no known failure mode matches; the first failed check is the best lead"],
                    next_step=first.hint or f"pytest '{first.nodeid}'",
                    tests=[check.nodeid for check in checks],
                    **_observed(first),
                )
            )

    def _rest_by_prerequisite(self) -> None:
        for name, checks in _grouped(self._blocked, [check.blocked_by for check in self._blocked]):
            nodeids = [check.nodeid for check in checks]
            if self._findings:
                # The cause is known under another name; what it took with it is listed there.
                self._findings[0].blocked += nodeids
                continue
            self._findings.append(
                Finding(
                    component=self._component_of(name),
                    summary=f"{name} is unavailable, so {len(checks)} checks are blocked",
                    category="other",
                    causes=["the prerequisite of these checks failed before any of them could run"],
                    next_step=f"pytest '{nodeids[0]}'",
                    blocked=nodeids,
                    **_observed(checks[0]),
                )
            )

    def _component_of(self, prerequisite: str) -> str:
        if prerequisite in OWN_COMPONENTS:
            return OWN_COMPONENTS[prerequisite]
        rule = self._spec.harness.prerequisites.get(prerequisite)
        return rule.part if rule else prerequisite


def _grouped(checks: Sequence[Check], keys: Sequence[str]) -> Iterable[tuple[str, list[Check]]]:
    found: dict[str, list[Check]] = {}
    for check, key in zip(checks, keys, strict=True):
        found.setdefault(key, []).append(check)
    return found.items()


def _observed(check: Check) -> Observed:
    blocked = check.outcome == "blocked"
    return {
        "section": "" if blocked else check.section,
        "expected": f"prerequisite {check.blocked_by!r} to be available" if blocked else check.expected or check.promise,
        "evidence": check.evidence if blocked else f"{check.name}: {check.evidence}",
    }
