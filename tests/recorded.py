"""What tests of reports begin with: a session on a target that exists nowhere, recorded checks, and a verdict."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fixtures.system import Staging
from gate.checks import CheckFacts
from gate.failures import Facts, Failure
from gate.run import Run, new_run_id
from gate.session import Session
from reports.diagnosis import Diagnosis
from reports.findings import as_data
from reports.model import Check, Finding, Outcome
from reports.rules import Rules, load_rules
from reports.schema import VERSION, FindingData, VerdictData
from reports.wording import Target, Words
from spec import DEFAULT, Specification, load

SPEC: Specification = load()
RULES: Rules = load_rules(DEFAULT, SPEC)
NOTHING: Mapping[str, str] = MappingProxyType({})
VALUES = {
    "API_BASE_URL": "http://127.0.0.1:9",
    "DATABASE_URL": "postgresql://staging_user:a-long-password@127.0.0.1:9/staging_db",
    "SUPABASE_URL": "http://127.0.0.1:9",
}


def a_session(folder: Path, **values: str) -> Session:
    """A session on a target that does not answer."""
    return Session(Run(new_run_id(), "live", folder / "run", VALUES | values), Staging(), SPEC)


def check(
    name: str = "test_x",
    outcome: Outcome = "failed",
    code: str = "promise.broken",
    subject: str = "promise x",
    *,
    component: str = "api",
    about: str = "",
    blocked_by: str = "",
    not_judged: str = "",
    to_set: str = "",
    **failure: Any,
) -> Check:
    """A recorded check; `code` and `subject` are those of its failure, or its own when it passed.

    `about` is the check's own code where the failure has another. `failure` holds `expected`, `observed`, `relation`, `what`,
    `because`, `hint` and `exchange` of a failed one.
    """
    found = None
    if outcome == "failed":
        failure["observed"] = Facts(failure.get("observed", {}))
        found = Failure(code, subject, component=component, **failure).as_data()
    facts = CheckFacts(
        "8.2.1", component, "§4", "a promise", about or code, subject, found, blocked_by, not_judged, to_set,
        reason=f"{blocked_by} is away" if blocked_by else not_judged,
    )  # fmt: skip
    return Check(f"acceptance/postdeploy/test_x.py::{name}", outcome, facts)


def asking(found: Check, endpoint: str, requests: int, failed: int = 0, part: str = "api") -> Check:
    """A check that also asked an endpoint of a part so often."""
    found.asked[f"{part} {endpoint}"] += requests
    found.failed_requests[f"{part} {endpoint}"] += failed
    found.worked_requests[f"{part} {endpoint}"] += requests - failed
    return found


def concluded(checks: Sequence[Check], rules: Rules = RULES, errors: Mapping[str, str] = NOTHING) -> list[Finding]:
    """The findings of these checks; `errors` names the prerequisites that are unavailable, and why."""
    return Diagnosis(checks, rules, SPEC, errors.get).conclude()


def worded(checks: Sequence[Check], findings: Sequence[Finding], again: Mapping[str, str] = NOTHING) -> list[FindingData]:
    """These findings as verdict.json holds them."""
    return as_data(findings, Words(Target.of(VALUES["API_BASE_URL"], SPEC, checks)), again)


def a_verdict(verdict: str = "fail") -> VerdictData:
    """The content of verdict.json of a run with one finding, or without any when it passed."""
    data = copy.deepcopy(VERDICT)
    data["verdict"] = verdict  # type: ignore[typeddict-item]
    if verdict == "pass":
        data["findings"] = []
    return data


VERDICT: VerdictData = {
    "schema": VERSION,
    "verdict": "fail",
    "target": {
        "kind": "live", "name": "staging", "api_base_url": "https://x", "release": "c" * 40,
        "releases": [{"source": "version", "value": "1.0.0"}, {"source": "commit", "value": "c" * 40}],
        "faults": [], "variants": [],
    },
    "harness": {"commit": "d" * 40},
    "run_id": "r1",
    "started_at": "2026-01-01T00:00:00+00:00",
    "duration_s": 12.0,
    "release_live_s": None,
    "counts": {"passed": 1, "failed": 1, "skipped": 0, "blocked": 0, "not_judged": 0},
    "not_judged": [],
    "checklist": [
        {
            "id": "8.2.1", "title": "Health", "status": "failed", "checks": [
                {"id": "a.py::one", "status": "failed", "promise": "p", "observed": "o", "seconds": 1.0},
                {"id": "a.py::two", "status": "passed", "promise": "p", "observed": "", "seconds": 0.1},
            ],
        },
    ],
    "findings": [
        {
            "rank": 1, "id": "F04/storage/bucket/raw", "title": "no access | <b>bold</b>", "harm": "outage", "reach": 1,
            "confidence": "proven", "component": "storage", "failure_mode": "F04", "section": "§3", "facts": [
                {"code": "storage.closed", "subject": "bucket raw", "component": "storage", "expected": "200",
                 "observed": "403\nforbidden", "checks": 1, "again": "3 of 3", "exchange": None},
            ],
            "expected": "200", "evidence": "403\nforbidden", "causes": [], "next_step": "apply the migration", "command": "",
            "checks": ["t"], "blocked": [],
        },
    ],
    "budget": {},
    "used": "nothing",
    "figures": [],
    "residue": {"before": {}, "after": {}},
}  # fmt: skip
