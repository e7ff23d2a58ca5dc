"""Diagnosis, verdict, checklist and last lines from recorded checks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gate.prerequisites import TARGET
from gate.shared import RELEASE
from reports import checklist, judgement, terminal, verdict
from reports.model import Check
from reports.schema import VerdictData
from tests.recorded import SPEC, a_session, a_verdict, check, concluded, worded

TIMES = verdict.Times("now", 1.0)


def build(folder: Path, *checks: Check) -> VerdictData:
    """verdict.json of these checks."""
    findings = worded(checks, concluded(checks))
    return verdict.build(a_session(folder), checks, findings, judgement.decide(checks, bool(findings), SPEC.service), TIMES)


PASSED, SKIPPED = check("a", "passed"), check("b", "skipped")
NOT_JUDGED = check("c", "not judged", not_judged="set X", to_set="X")


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
    assert judgement.decide(checks, False, SPEC.service, strict) == wanted


def test_a_finding_against_the_harness_fails() -> None:
    assert judgement.decide([PASSED], True, SPEC.service) == "fail"


def test_what_was_not_judged_names_what_to_set() -> None:
    what, name = "set RENDER_API_KEY to compare", "RENDER_API_KEY"
    checks = [check(f"t{n}", "not judged", not_judged=what, to_set=name) for n in range(2)]
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
    assert [(c.outcome, c.facts.blocked_by) for c in (dying, earlier, elsewhere)] == [
        ("blocked", TARGET),
        ("failed", ""),
        ("failed", ""),
    ]


def test_the_checklist_shows_every_item_and_its_checks(tmp_path: Path) -> None:
    data = build(tmp_path, check("test_a", "passed"), check("test_b", observed={"value": "<b>no</b>"}))
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
    wrong = [
        ("cors.missing", "origin https://x", "network"),
        ("webhook.unsigned", "endpoint POST /webhook", "webhook"),
        ("http.value", "endpoint GET /me", "auth"),
        ("host.accepted", "host x", "network"),
    ]
    checks = [check(f"test_{n}", code=code, subject=name, component=part) for n, (code, name, part) in enumerate(wrong)]
    data = build(tmp_path, *checks, NOT_JUDGED)
    lines = terminal.closing_lines(data, "reports/out")
    assert any(line.startswith("verdict    FAIL on live") for line in lines)
    assert sum(line.startswith(("also ", "because ")) for line in lines) == len(data["findings"]) == 4
    assert next(line for line in lines if line.startswith("because")).startswith("because    1. webhook: ")
    assert any("[F20]" in line for line in lines)
    assert "not judged 1 check: set X" in lines
    assert lines[-1].startswith("report")


def test_the_last_lines_name_each_source_of_the_release(tmp_path: Path) -> None:
    lines = terminal.closing_lines(build(tmp_path, PASSED), "out")
    assert "release    version unknown, commit unknown, platform unknown" in lines


def test_a_version_is_shown_whole_and_a_commit_in_short() -> None:
    data = a_verdict()
    data["target"]["releases"] = [{"source": "version", "value": "1.0.0-staging"}, {"source": "commit", "value": "c" * 40}]
    assert terminal.format_release(data) == f"version 1.0.0-staging, commit {'c' * 12}"


def test_what_running_again_showed_stands_beside_the_finding(tmp_path: Path) -> None:
    failed = check(code="http.value", subject="endpoint GET /me")
    data = build(tmp_path, failed)
    data["findings"] = worded([failed], concluded([failed]), {failed.nodeid: "1 of 3"})
    assert data["findings"][0]["facts"][0]["again"] == "1 of 3"
    assert any(line.endswith("(run again: failed 1 of 3)") for line in terminal.closing_lines(data, "out"))
