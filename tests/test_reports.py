"""Diagnosis, verdict and checklist from recorded checks."""

import pytest

from gate.run import Run
from reports import verdict
from reports.diagnosis import Diagnosis
from reports.model import Check, Finding, Outcome


def check(name: str, outcome: Outcome = "failed", observed: str = "", component: str = "api", blocked_by: str = "") -> Check:
    """A recorded check."""
    return Check(f"acceptance/x.py::{name}", outcome, "8.2.1", component, "§4", "a promise", "x", observed, "", blocked_by)


def test_a_dead_database_is_one_finding() -> None:
    checks = [check(f"test_{n}", "blocked", blocked_by="database") for n in range(50)]
    checks.append(check("test_the_dependency_is_healthy[database]", component="database"))
    findings = Diagnosis(checks).conclude()
    assert [(f.component, f.failure_mode) for f in findings] == [("database", "F10")]
    assert len(findings[0].blocked) == 50


def test_two_faults_are_two_findings() -> None:
    checks = [
        check("test_the_service_role_may_list_files", component="storage"),
        check("test_the_front_end_may_call_the_api[x]", component="network"),
    ]
    assert [f.failure_mode for f in Diagnosis(checks).conclude()] == ["F04", "F20"]


def test_an_unknown_failure_is_a_finding_of_its_component() -> None:
    findings = Diagnosis([check("test_something_new", component="api")]).conclude()
    assert [(f.component, f.failure_mode, f.rank) for f in findings] == [("api", None, 1)]


def test_every_check_belongs_to_one_finding() -> None:
    checks = [check("test_the_worker_is_alive"), check("test_the_document_completes[policy]"), check("test_other")]
    named = [name for f in Diagnosis(checks).conclude() for name in f.tests]
    assert sorted(named) == sorted(c.nodeid for c in checks)


def test_a_target_that_is_gone_is_one_finding() -> None:
    checks = [check(f"test_{g}", "blocked", blocked_by=g) for g in ("api", "database", "supabase", "worker")]
    assert len(Diagnosis(checks).conclude()) == 1


@pytest.mark.parametrize(
    ("checks", "wanted"),
    [
        ([check("a", "passed")], "pass"),
        ([check("a", "passed"), check("b", "skipped")], "pass"),
        ([check("a", "passed"), check("b")], "fail"),
        ([check("a", "passed"), check("b", "blocked", blocked_by="database")], "fail"),
        ([check("a", "passed"), check("b", "blocked", blocked_by="api")], "blocked"),
        ([check("b", "blocked", blocked_by="database")], "blocked"),
    ],
)
def test_the_verdict(checks: list[Check], wanted: str) -> None:
    assert verdict.decide(checks, []) == wanted


def test_a_finding_against_the_harness_fails() -> None:
    assert verdict.decide([check("a", "passed")], [Finding("harness", "left behind")]) == "fail"


def test_the_checklist_shows_every_item_and_its_checks(run: Run) -> None:
    checks = [check("test_a", "passed"), check("test_b", observed="<b>no</b>")]
    data = verdict.build(run, checks, Diagnosis(checks).conclude(), "fail", "now", 1.0)
    assert data["counts"] == {"passed": 1, "failed": 1, "flaky": 0, "skipped": 0, "blocked": 0}
    text = verdict.checklist_markdown(data, {entry.id: entry.suite for entry in run.spec.checklist})
    assert "- [✗] **8.2.1 Run health checks on all services**" in text
    assert text.count("no checks ran") == len(run.spec.checklist) - 1


def test_the_last_lines_say_why(run: Run) -> None:
    checks = [check("test_the_front_end_may_call_the_api[x]", observed="None")]
    data = verdict.build(run, checks, Diagnosis(checks).conclude(), "fail", "now", 1.0)
    lines = verdict.closing_lines(data, "reports/out")
    assert any("FAIL" in line for line in lines)
    assert any("[F20]" in line for line in lines)
    assert lines[-1].startswith("report")
