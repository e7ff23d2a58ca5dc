"""ctrf.json: the checks in the Common Test Report Format, which many tools of CI read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypedDict

import pytest

from reports.model import Check, Outcome

Status = Literal["passed", "failed", "skipped", "pending", "other"]
STATUSES: dict[Outcome, Status] = {
    "passed": "passed",
    "failed": "failed",
    "skipped": "skipped",
    "blocked": "other",
    "not judged": "pending",
}
VERSION = "0.0.0"


class Test(TypedDict, total=False):
    """One check; times in milliseconds."""

    name: str
    status: Status
    duration: int
    rawStatus: str
    suite: list[str]
    filePath: str
    message: str


class Summary(TypedDict):
    """Number of checks by status; milliseconds since 1970."""

    tests: int
    passed: int
    failed: int
    skipped: int
    pending: int
    other: int
    start: int
    stop: int


class Tool(TypedDict):
    """What ran the checks."""

    name: str
    version: str


class Results(TypedDict):
    """All checks of one run."""

    tool: Tool
    summary: Summary
    tests: list[Test]


class Report(TypedDict):
    """The whole file."""

    reportFormat: Literal["CTRF"]
    specVersion: str
    results: Results


def build(checks: Sequence[Check], started: float, ended: float) -> Report:
    """The content of ctrf.json; `started` and `ended` are seconds since 1970."""
    count = Counter(STATUSES[check.outcome] for check in checks)
    summary: Summary = {
        "tests": len(checks),
        "passed": count["passed"],
        "failed": count["failed"],
        "skipped": count["skipped"],
        "pending": count["pending"],
        "other": count["other"],
        "start": round(started * 1000),
        "stop": round(ended * 1000),
    }
    tool: Tool = {"name": "pytest", "version": pytest.__version__}
    results: Results = {"tool": tool, "summary": summary, "tests": [_test(check) for check in checks]}
    return {"reportFormat": "CTRF", "specVersion": VERSION, "results": results}


def _test(check: Check) -> Test:
    found: Test = {
        "name": check.nodeid,
        "status": STATUSES[check.outcome],
        "duration": round(check.duration * 1000),
        "rawStatus": check.outcome,
        "suite": [check.suite or "acceptance"],
        "filePath": check.nodeid.partition("::")[0],
    }
    if check.outcome != "passed" and check.evidence:
        found["message"] = f"expected {check.expected}; observed {check.evidence}" if check.expected else check.evidence
    return found
