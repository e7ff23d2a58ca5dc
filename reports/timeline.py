"""What the platform knows about each finding: what is asked of it, and its timeline in verdict.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gate.session import Session
from gate.timeline import PlatformSeen, TimelineEntry, Wanted
from reports.model import Check, Finding
from reports.schema import FindingData, TimelineData

# Kinds of subjects that are what becomes of documents (spec/codes.toml).
OF_JOBS = ("chunks", "document", "queue", "stage", "vectors")


def wanted_of(finding: Finding, checks: Mapping[str, Check], began: float, now: float) -> Wanted:
    """What is looked for about a finding: the requests in which it was seen, and when its checks ran."""
    facts = [*finding.facts, *finding.explained]
    exchanges = tuple(dict.fromkeys(fact.exchange for fact in facts if fact.exchange is not None))
    ran = [checks[fact.check] for fact in facts if fact.check in checks]
    first = min((check.ended - check.duration for check in ran if check.ended), default=began)
    last = max((check.ended for check in ran if check.ended), default=now)
    of_jobs = any(fact.subject.partition(" ")[0] in OF_JOBS for fact in facts)
    return Wanted(finding.component, exchanges, first, last, of_jobs)


def see(
    hook: Any, session: Session, findings: Sequence[Finding], checks: Sequence[Check], began: float, now: float
) -> PlatformSeen:
    """Ask for the timelines of the findings, where there are any; whatever goes wrong is noted and changes nothing else."""
    if not findings:
        return PlatformSeen()
    by_id = {check.nodeid: check for check in checks}
    wanted = [wanted_of(finding, by_id, began, now) for finding in findings]
    try:
        return hook.pytest_gate_evidence(session=session, wanted=wanted, began=began) or PlatformSeen()
    except Exception as error:
        # The verdict stands without it.
        return PlatformSeen(note=f"platform's logs: not seen ({type(error).__name__}: {error})")


def as_data(timeline: Sequence[TimelineEntry]) -> list[TimelineData]:
    """One finding's timeline."""
    return [
        {
            "time": entry.time,
            "source": entry.source,
            "kind": entry.kind,
            "level": entry.level,
            "text": entry.text,
            "count": entry.count,
            "tells": entry.tells,
        }
        for entry in timeline
    ]


def telling(finding: FindingData) -> TimelineData | None:
    """The service's own line that tells what happened, or None where none was seen."""
    return next((entry for entry in finding.get("timeline", []) if entry["tells"]), None)
