"""From recorded checks to facts: what is wrong, what was judged good, and what could not be judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gate.failures import Exchange, Value
from gate.prerequisites import BUDGET, OWN, TARGET
from gate.session import Session
from reports.model import Check, Fact
from spec import Specification

OWN_CODES = {TARGET: ("part.unavailable", "target"), BUDGET: ("harness.budget", "harness")}


@dataclass(frozen=True)
class Good:
    """A check that passed, by what it is about."""

    code: str
    subject: str
    component: str
    about: str
    observed: Mapping[str, Value] = field(default_factory=dict)


def of_failures(checks: Iterable[Check]) -> list[Fact]:
    """One fact for each failed check."""
    return [_fact(check) for check in checks if check.outcome == "failed"]


def _fact(check: Check) -> Fact:
    facts, found = check.facts, check.facts.failure
    if found is None:
        # A set-up or tear-down that ended without a report of its own.
        return Fact("check.error", f"promise {check.name}", facts.component, check.nodeid, facts.code, facts.section)
    return Fact(
        code=found["code"],
        subject=found["subject"],
        component=found["component"] or facts.component,
        check=check.nodeid,
        about=facts.code,
        section=facts.section,
        promise=facts.promise,
        relation=found["relation"],
        expected=found["expected"],
        observed=found["observed"],
        what=found["what"],
        because=found["because"],
        hint=found["hint"],
        exchange=Exchange(**found["exchange"]) if found["exchange"] else None,
    )


def of_passes(checks: Iterable[Check]) -> list[Good]:
    """What was judged good."""
    return [
        Good(check.facts.code, check.facts.subject, check.facts.component, check.facts.code)
        for check in checks
        if check.outcome == "passed"
    ]


def of_blocked(checks: Sequence[Check], spec: Specification, error_of: Callable[[str], str | None]) -> list[Fact]:
    """A fact for each blocked check whose prerequisite is itself unavailable; `error_of` returns the kind of that, or None."""
    found = []
    for check in checks:
        name = check.facts.blocked_by
        error = error_of(name) if check.outcome == "blocked" else None
        if error is None:
            continue
        rule = spec.harness.prerequisites.get(name)
        code, component = OWN_CODES.get(name, ("part.unavailable", rule.part if rule else name))
        found.append(
            Fact(
                code,
                f"run {name}" if name == BUDGET else f"part {name}",
                component,
                check.nodeid,
                observed={"error": error, "detail": check.facts.reason} if error else {"detail": check.facts.reason},
                expected=f"{name} to be available" if name not in OWN else "",
                is_blocked=True,
            )
        )
    return found


def of_not_loaded(modules: Iterable[str]) -> list[Fact]:
    """The modules whose checks could not be loaded, so their outcome is unknown."""
    return [
        Fact(
            "harness.not_loaded",
            f"run {module}",
            "harness",
            module,
            expected="every check of the chosen suites is run",
            observed={"detail": "could not be loaded"},
        )
        for module in modules
    ]


def of_left_behind(session: Session) -> Fact | None:
    """What the run left; where a part is unavailable, that is a finding already."""
    prerequisites = session.spec.harness.prerequisites
    reaching = [name for name, prerequisite in prerequisites.items() if prerequisite.reaches_target]
    unavailable = any(session.prerequisites.unavailable(name) is not None for name in reaching)
    if not session.residue or (unavailable and not session.swept.left):
        return None
    return Fact(
        "harness.residue",
        "run clean-up",
        "harness",
        "clean-up",
        expected="no user, row or file of this run is left",
        observed={"value": session.residue},
    )
