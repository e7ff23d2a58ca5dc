"""verdict.json: what a run concluded, for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gate.places import OUT
from gate.run import checkout_commit
from gate.session import Session
from gate.settings import ConfigurationError
from gate.shared import FIGURES, RELEASE, RELEASE_SOURCES, SAID_RELEASE
from reports import figures
from reports.judgement import not_judged
from reports.model import Check, Outcome, Verdict
from reports.schema import VERSION, FindingData, ItemData, ReleaseData, TargetData, VerdictData

FILE = "verdict.json"
# The worst first.
ORDER: tuple[Outcome, ...] = ("failed", "blocked", "not judged", "passed", "skipped")
COUNTED: tuple[Outcome, ...] = ("passed", "failed", "skipped", "blocked", "not judged")
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Times:
    """When the run began (ISO 8601); seconds of the whole run, and until the release was live where that was waited for."""

    started_at: str
    seconds: float
    release_live: float | None = None


def read_last(arguments: Sequence[str]) -> tuple[Path, VerdictData]:
    """Folder and verdict of the last run, or of the folder named first; raises ConfigurationError when there is none."""
    path = (Path(arguments[0]) if arguments else OUT) / FILE
    try:
        data: VerdictData = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read ({type(error).__name__}); run the gate first") from error
    return path.parent, data


def status_of(checks: Sequence[Check]) -> str:
    """One word for a checklist item: the worst of its checks."""
    outcomes = {check.outcome for check in checks}
    return next((name for name in ORDER if name in outcomes), "not run")


def counts(checks: Sequence[Check]) -> dict[str, int]:
    """Number of checks by outcome."""
    found = Counter(check.outcome for check in checks)
    return {name.replace(" ", "_"): found[name] for name in COUNTED}


def build(
    session: Session, checks: Sequence[Check], findings: Sequence[FindingData], verdict: Verdict, times: Times
) -> VerdictData:
    """The content of verdict.json."""
    used, limits = session.budget.used(), session.budget.limits
    before = session.tagged_before
    return {
        "schema": VERSION,
        "verdict": verdict,
        "target": _target(session),
        "harness": {"commit": checkout_commit()},
        "run_id": session.run.run_id,
        "started_at": times.started_at,
        "duration_s": round(times.seconds, 1),
        "release_live_s": None if times.release_live is None else round(times.release_live, 1),
        "counts": counts(checks),
        "not_judged": not_judged(checks),
        "checklist": [_item(entry.id, entry.title, checks) for entry in session.spec.checklist],
        "findings": list(findings),
        "figures": figures.read(session.shared.path / FIGURES),
        "budget": used.as_data(limits),
        "used": used.format_line(limits),
        "residue": {"before": before, "after": session.swept.after or before},
    }


def _target(session: Session) -> TargetData:
    return {
        "kind": session.run.kind,
        "name": session.settings.text("HARNESS_TARGET_NAME"),
        "api_base_url": session.api_url,
        "release": session.shared.read(RELEASE) or UNKNOWN,
        "releases": releases(session),
        "faults": list(session.run.faults),
        "variants": list(session.run.variants),
    }


def releases(session: Session) -> list[ReleaseData]:
    """What each source says of the release that is live."""
    return [
        {"source": source, "value": session.shared.read(f"{SAID_RELEASE}/{source}") or UNKNOWN} for source in RELEASE_SOURCES
    ]


def _item(item_id: str, title: str, checks: Sequence[Check]) -> ItemData:
    own = [check for check in checks if check.facts.checklist == item_id]
    return {
        "id": item_id,
        "title": title,
        "status": status_of(own),
        "checks": [
            {
                "id": c.nodeid,
                "status": c.outcome,
                "promise": c.facts.promise,
                "observed": c.evidence,
                "seconds": round(c.duration, 3),
            }
            for c in own
        ],
    }
