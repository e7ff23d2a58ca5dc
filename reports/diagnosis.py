"""From failed and blocked checks to causes; the rules are data in spec/diagnosis.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reports.model import Check, Finding
from spec import SpecError

DEFAULT = Path(__file__).resolve().parents[1] / "spec" / "diagnosis.toml"


class Condition(BaseModel):
    """A failed check that speaks for a cause: by name, by what was observed, or both (regular expressions)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    check: str = ".*"
    observed: str = ""

    def holds(self, check: Check) -> bool:
        """Whether this check is one of them."""
        text = f"{check.expected} {check.observed}"
        return bool(re.match(self.check, check.name)) and (not self.observed or bool(re.search(self.observed, text)))


class Rule(BaseModel):
    """A cause: what speaks for it, what else it explains, and what to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    component: str
    summary: str
    category: str
    failure_mode: str | None = None
    when: list[Condition] = []
    unless: list[Condition] = []
    ground: str | None = None
    all_grounds: list[str] = []
    grounds: list[str] = []
    none_passed: str = ""
    explains: list[Condition] = []
    causes: list[str] = Field(min_length=1)
    next: str


class Rules(BaseModel):
    """The file: categories of the specification's §10, then rules, the most fundamental first."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    categories: dict[str, str]
    rule: list[Rule]


@lru_cache(maxsize=1)
def rules(path: Path = DEFAULT) -> Rules:
    """The rules of a file; raises SpecError naming file, key and what was expected."""
    try:
        return Rules.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise SpecError(f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise SpecError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _any(conditions: Iterable[Condition], check: Check) -> bool:
    return any(condition.holds(check) for condition in conditions)


class Diagnosis:
    """Assigns every failed or blocked check to exactly one finding."""

    def __init__(self, checks: Iterable[Check]) -> None:
        checks = list(checks)
        self.passed = [check.name for check in checks if check.outcome == "passed"]
        self.failed = [check for check in checks if check.outcome == "failed"]
        self.blocked = [check for check in checks if check.outcome == "blocked"]
        self.findings: list[Finding] = []

    def conclude(self) -> list[Finding]:
        """Findings in order: causes that a rule knows, then what is left, by component and by ground."""
        for rule in rules().rule:
            self._apply(rule)
        self._adopt_blocked()
        self._rest_by_component()
        self._rest_by_ground()
        for rank, finding in enumerate(self.findings, 1):
            finding.rank = rank
        return self.findings

    def _apply(self, rule: Rule) -> None:
        if any(_any(rule.unless, check) for check in self.failed):
            return
        if rule.none_passed and any(re.match(rule.none_passed, name) for name in self.passed):
            return
        core = [check for check in self.failed if _any(rule.when, check)]
        lost = [check for check in self.blocked if rule.ground and check.blocked_by == rule.ground]
        if rule.all_grounds and not lost:
            gone = {check.blocked_by for check in self.blocked}
            lost = list(self.blocked) if gone.issuperset(rule.all_grounds) and not self.failed else []
        if not core and not lost:
            return
        explained = [check for check in self.failed if check in core or _any(rule.explains, check)]
        stuck = lost + [check for check in self.blocked if check.blocked_by in rule.grounds and check not in lost]
        self.failed = [check for check in self.failed if check not in explained]
        self.blocked = [check for check in self.blocked if check not in stuck]
        self.findings.append(
            Finding(
                component=rule.component,
                summary=rule.summary,
                failure_mode=rule.failure_mode,
                category=rule.category,
                causes=list(rule.causes),
                next_step=rule.next,
                **_facts((core or lost)[0]),
                tests=[check.nodeid for check in core + [c for c in explained if c not in core]],
                blocked=[check.nodeid for check in stuck],
            )
        )

    def _adopt_blocked(self) -> None:
        """A ground without a rule of its own lies under the finding that took it away, when there is just one."""
        if len(self.findings) == 1 and not self.failed:
            self.findings[0].blocked += [check.nodeid for check in self.blocked]
            self.blocked = []

    def _rest_by_component(self) -> None:
        by_component: dict[str, list[Check]] = {}
        for check in self.failed:
            by_component.setdefault(check.component, []).append(check)
        for component, checks in by_component.items():
            first = checks[0]
            more = f" (and {len(checks) - 1} more)" if len(checks) > 1 else ""
            self.findings.append(
                Finding(
                    component=component,
                    summary=f"{first.promise.rstrip('.')}{more}: not kept",
                    category="other",
                    causes=["no known failure mode matches; the first failed check is the best lead"],
                    next_step=first.hint or f"pytest '{first.nodeid}'",
                    **_facts(first),
                    tests=[check.nodeid for check in checks],
                )
            )

    def _rest_by_ground(self) -> None:
        by_ground: dict[str, list[Check]] = {}
        for check in self.blocked:
            by_ground.setdefault(check.blocked_by, []).append(check)
        for ground, checks in by_ground.items():
            names = [check.nodeid for check in checks]
            if self.findings:
                # The cause is known under another name; what it took with it is listed there.
                self.findings[0].blocked += names
                continue
            self.findings.append(
                Finding(
                    component=GROUND_COMPONENTS.get(ground, ground),
                    summary=f"{ground} is not usable, so {len(checks)} checks could say nothing",
                    category="other",
                    causes=["the ground of these checks failed before any of them could run"],
                    next_step=f"pytest '{names[0]}'",
                    **_facts(checks[0]),
                    blocked=names,
                )
            )


GROUND_COMPONENTS = {"upload": "api", "users": "supabase"}


def _facts(check: Check) -> dict[str, Any]:
    expected = check.expected or check.promise
    return {"section": check.section, "expected": expected, "evidence": f"{check.name}: {check.evidence}"}
