"""What tests of reports begin with: a session on a target that exists nowhere, recorded checks, and a verdict."""

from __future__ import annotations

import copy
from pathlib import Path

from fixtures.system import Staging
from gate.run import Run, new_run_id
from gate.session import Session
from reports.model import Check, Outcome
from reports.rules import Rules, load_rules
from reports.schema import VerdictData
from spec import DEFAULT, Specification, load

SPEC: Specification = load()
RULES: Rules = load_rules(DEFAULT, SPEC)
VALUES = {
    "API_BASE_URL": "http://127.0.0.1:9",
    "DATABASE_URL": "postgresql://staging_user:a-long-password@127.0.0.1:9/staging_db",
    "SUPABASE_URL": "http://127.0.0.1:9",
}


def a_session(folder: Path, **values: str) -> Session:
    """A session on a target that does not answer."""
    return Session(Run(new_run_id(), "live", folder / "run", VALUES | values), Staging(), SPEC)


def check(
    name: str, outcome: Outcome = "failed", observed: str = "", component: str = "api", blocked_by: str = "", **more: str
) -> Check:
    """A recorded check."""
    nodeid = f"acceptance/postdeploy/test_x.py::{name}"
    return Check(nodeid, outcome, "8.2.1", component, "§4", "a promise", "x", observed, blocked_by=blocked_by, **more)  # type: ignore[arg-type]


def a_verdict(verdict: str = "fail") -> VerdictData:
    """The content of verdict.json of a run with one finding, or without any when it passed."""
    data = copy.deepcopy(VERDICT)
    data["verdict"] = verdict  # type: ignore[typeddict-item]
    if verdict == "pass":
        data["findings"] = []
    return data


VERDICT: VerdictData = {
    "schema": 1,
    "verdict": "fail",
    "target": {
        "kind": "live", "name": "staging", "api_base_url": "https://x", "release": "c" * 40, "faults": [], "variants": [],
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
            "component": "storage", "summary": "no access | <b>bold</b>", "failure_mode": "F04", "section": "§3",
            "expected": "200", "evidence": "403\nforbidden", "causes": [], "next_step": "apply the migration",
            "category": "", "tests": ["t"], "blocked": [], "rank": 1,
        },
    ],
    "budget": {},
    "used": "nothing",
    "residue": {"before": {}, "after": {}},
}  # fmt: skip
