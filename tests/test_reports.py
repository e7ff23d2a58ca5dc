"""Diagnosis, verdict, checklist and last lines from recorded checks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gate.prerequisites import TARGET
from gate.shared import RELEASE
from reports import checklist, judgement, terminal, verdict
from reports.diagnosis import Diagnosis
from reports.model import Check, Finding
from reports.schema import VerdictData
from tests.recorded import RULES, SPEC, a_session, check

TIMES = verdict.Times("now", 1.0)


def conclude(*checks: Check) -> list[Finding]:
    """The findings of these checks."""
    return Diagnosis(checks, RULES, SPEC).conclude()


def build(folder: Path, *checks: Check) -> VerdictData:
    """verdict.json of these checks."""
    findings = conclude(*checks)
    return verdict.build(a_session(folder), checks, findings, judgement.decide(checks, findings, SPEC.service), TIMES)


def test_a_dead_database_is_one_finding() -> None:
    checks = [check(f"test_{n}", "blocked", blocked_by="database") for n in range(50)]
    checks.append(check("test_the_dependency_is_healthy[database]", component="database"))
    findings = conclude(*checks)
    assert [(f.component, f.failure_mode) for f in findings] == [("database", "F10")]
    assert len(findings[0].blocked) == 50


def test_two_faults_are_two_findings() -> None:
    findings = conclude(
        check("test_the_service_role_may_list_files", component="storage"),
        check("test_the_front_end_may_call_the_api[x]", component="network"),
    )
    assert [f.failure_mode for f in findings] == ["F04", "F20"]


def test_an_unknown_failure_is_a_finding_of_its_component() -> None:
    findings = conclude(check("test_something_new", component="api", hint="the API's log"))
    assert [(f.component, f.failure_mode, f.rank, f.next_step) for f in findings] == [("api", None, 1, "the API's log")]


def test_an_unknown_prerequisite_is_a_finding_of_its_part() -> None:
    findings = conclude(check("test_something", "blocked", blocked_by="source"))
    assert [(f.component, f.summary) for f in findings] == [("build", "source is unavailable, so 1 checks are blocked")]


def test_every_check_belongs_to_one_finding() -> None:
    checks = [check("test_the_worker_is_alive"), check("test_the_document_completes[policy]"), check("test_other")]
    named = [name for f in conclude(*checks) for name in f.tests]
    assert sorted(named) == sorted(c.nodeid for c in checks)


def test_a_target_that_is_unavailable_is_one_finding() -> None:
    assert len(conclude(*(check(f"test_{g}", "blocked", blocked_by=g) for g in ("api", "database", "supabase", "worker")))) == 1


PASSED, SKIPPED, NOT_JUDGED = check("a", "passed"), check("b", "skipped"), check("c", "not judged", not_judged="set X")


@pytest.mark.parametrize(
    ("checks", "strict", "wanted"),
    [
        ([PASSED], True, "pass"),
        ([PASSED, SKIPPED], True, "pass"),
        ([PASSED, NOT_JUDGED], False, "pass"),
        ([PASSED, NOT_JUDGED], True, "blocked"),
        ([PASSED, NOT_JUDGED, check("d")], True, "fail"),
        ([PASSED, check("d")], False, "fail"),
        ([PASSED, check("d", "blocked", blocked_by="database")], False, "fail"),
        ([PASSED, check("d", "blocked", blocked_by="api")], False, "blocked"),
        ([PASSED, check("d", "blocked", blocked_by="budget")], False, "blocked"),
        ([check("d", "blocked", blocked_by="database")], False, "blocked"),
    ],
)
def test_the_verdict(checks: list[Check], strict: bool, wanted: str) -> None:
    assert judgement.decide(checks, [], SPEC.service, strict) == wanted


def test_a_finding_against_the_harness_fails() -> None:
    assert judgement.decide([PASSED], [Finding("harness", "left behind")], SPEC.service) == "fail"


def test_what_was_not_judged_names_what_to_set() -> None:
    missing = {"not_judged": "set RENDER_API_KEY to compare", "to_set": "RENDER_API_KEY"}
    checks = [check(f"t{n}", "not judged", **missing) for n in range(2)]
    checks.append(check("t", "not judged", not_judged="the folder is no folder"))
    assert judgement.not_judged(checks) == [
        {"what": "set RENDER_API_KEY to compare", "set": "RENDER_API_KEY", "checks": 2},
        {"what": "the folder is no folder", "set": "", "checks": 1},
    ]


def test_what_failed_as_the_target_died_is_blocked(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    lately, before = time.time(), time.time() - 3600
    dying, earlier = check("dying", component="chat"), check("earlier", component="chat")
    elsewhere = check("elsewhere", component="build")
    dying.ended, earlier.ended, elsewhere.ended = lately, before, lately
    session.prerequisites.note_unavailable("database", "no answer")
    judgement.block_what_died(session, [dying, earlier, elsewhere])
    assert dying.outcome == "failed"  # the rest of the target still answers
    for name in ("api", "supabase"):
        session.prerequisites.note_unavailable(name, "no answer")
    judgement.block_what_died(session, [dying, earlier, elsewhere])
    assert [(c.outcome, c.blocked_by) for c in (dying, earlier, elsewhere)] == [
        ("blocked", TARGET),
        ("failed", ""),
        ("failed", ""),
    ]


def test_the_checklist_shows_every_item_and_its_checks(tmp_path: Path) -> None:
    data = build(tmp_path, check("test_a", "passed"), check("test_b", observed="<b>no</b>"))
    assert data["counts"] == {"passed": 1, "failed": 1, "skipped": 0, "blocked": 0, "not_judged": 0}
    text = checklist.format_checklist(data, {entry.id: entry.suite for entry in SPEC.checklist})
    assert "- [✗] **8.2.1 Run health checks on all services**" in text
    assert "<b>" not in text
    assert text.count("no checks ran") == len(SPEC.checklist) - 1


def test_the_release_is_what_the_target_says(tmp_path: Path) -> None:
    assert build(tmp_path, PASSED)["target"]["release"] == "unknown"
    session = a_session(tmp_path)
    session.shared.write(RELEASE, "f00dfeed")
    assert verdict.build(session, [PASSED], [], "pass", TIMES)["target"]["release"] == "f00dfeed"


def test_the_last_lines_say_why_and_name_every_finding(tmp_path: Path) -> None:
    names = ["test_the_front_end_may_call_the_api[x]", "test_the_webhook_x", "test_login_x", "test_a_foreign_host_is_refused"]
    data = build(tmp_path, *(check(name, observed="None") for name in names), NOT_JUDGED)
    lines = terminal.closing_lines(data, "reports/out")
    assert any(line.startswith("verdict    FAIL on live") for line in lines)
    assert sum(line.startswith(("also ", "because ")) for line in lines) == len(data["findings"]) == 4
    assert any("[F20]" in line for line in lines)
    assert "not judged 1 × set X" in lines
    assert lines[-1].startswith("report")
