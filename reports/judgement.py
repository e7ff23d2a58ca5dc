"""What the outcomes of all checks come to: the verdict, and which checks say nothing of the target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gate.exit_codes import ExitCode
from gate.prerequisites import BUDGET, TARGET
from gate.session import Session
from reports.model import Check, Verdict
from reports.schema import NotJudgedData
from spec import Specification

EXIT_CODES: dict[Verdict, ExitCode] = {"pass": ExitCode.PASS, "fail": ExitCode.FAIL, "blocked": ExitCode.BLOCKED}


def decide(checks: Sequence[Check], has_findings: bool, service: str, wants_all: bool = False) -> Verdict:
    """fail: a promise is broken. blocked: the target could not be judged, or no check ran. pass: neither.

    `service` names the prerequisite without which the whole target is unavailable; with `wants_all` a check that was not judged
    for want of a setting keeps the run from passing.
    """
    if any(check.outcome == "failed" for check in checks):
        return "fail"
    if not checks and not has_findings:
        return "blocked"
    blocked = [check for check in checks if check.outcome == "blocked"]
    if blocked:
        # A part that refuses while the target answers is a broken promise; a target that does not answer is no judgement.
        # A run that used up its budget did not judge the rest either.
        unreachable = {check.facts.blocked_by for check in blocked} & {service, BUDGET, TARGET}
        nothing_ran = all(check.outcome != "passed" for check in checks)
        return "blocked" if unreachable or nothing_ran else "fail"
    if has_findings:
        return "fail"
    return "blocked" if wants_all and any(check.outcome == "not judged" for check in checks) else "pass"


def block_what_died(session: Session, checks: Iterable[Check]) -> None:
    """Block the checks that failed because the target became unavailable under them.

    Such a check failed on a part that needs what is unavailable, and no earlier than one request before that was noticed.
    """
    if not session.prerequisites.target_is_unavailable():
        return
    prerequisites = session.spec.harness.prerequisites
    names = [name for name in prerequisites if session.prerequisites.unavailable(name) is not None]
    parts = {prerequisites[name].part for name in names}
    noticed = min((session.shared.path / "unavailable" / name).stat().st_mtime for name in names)
    for check in checks:
        stands_on_it = bool(parts & needed_parts(check.facts.component, session.spec))
        if check.outcome == "failed" and stands_on_it and check.ended >= noticed - session.spec.safety.request_seconds:
            check.outcome, check.facts = "blocked", replace(check.facts, blocked_by=TARGET)


def needed_parts(part: str, spec: Specification) -> set[str]:
    """A part and all parts that it does not work without."""
    found: set[str] = set()
    waiting = [part]
    while waiting:
        name = waiting.pop()
        if name not in found and name in spec.harness.parts:
            found.add(name)
            waiting += spec.harness.parts[name].needs
    return found


def not_judged(checks: Iterable[Check]) -> list[NotJudgedData]:
    """What is missing so that checks were not judged, and the setting for it, most checks first."""
    count = Counter((check.facts.not_judged, check.facts.to_set) for check in checks if check.outcome == "not judged")
    return [{"what": what, "set": setting, "checks": number} for (what, setting), number in count.most_common()]
