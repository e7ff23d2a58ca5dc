"""Supabase's project from outside: its management API, which project a value names, cells of the matrix, linters of others."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from fixtures import linters
from fixtures.database import Database
from fixtures.linters import Advisors, address, program, run
from fixtures.schema import Scratch
from fixtures.security_matrix import Cell, Outcome, SecurityMatrix
from fixtures.supabase_management import Management, expect_one_project, expect_setting, project_in
from gate.failures import Failure, NotConfigured
from proof.accounts import served
from spec.model import ProjectSetting
from tests.account import configuration
from tests.recorded import a_session
from twin.doubles.supabase import management
from twin.doubles.supabase.project import Project

TOKEN, REF = "token-of-a-test", "ref"
Reader = Callable[..., Management]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Reader]:
    """Makes readers of a project whose management API answers so."""
    with ExitStack() as open_:

        def answering(token: str = TOKEN, anon: str = "x", **changed: Any) -> Management:
            config = configuration()
            config.management_token = TOKEN
            double = Project(config=config, files=tmp_path, behaviour={"management": changed})
            url = open_.enter_context(served(Starlette(routes=management.routes(double))))
            values = {"SUPABASE_ACCESS_TOKEN": token, "SUPABASE_MANAGEMENT_URL": url, "SUPABASE_ANON_KEY": anon}
            session = a_session(tmp_path, SUPABASE_URL="http://127.0.0.1:9", **values)
            open_.callback(session.close)
            return Management.of(session)

        yield answering


# ── The management API ───────────────────────────────────────────────────────────────────────────────────
def test_everything_is_read_from_an_api_that_limits_and_fails_now_and_then(project: Reader) -> None:
    began = time.monotonic()
    asked = project(manners={"flaky": 3, "limit": 4, "window": 1.5, "delay": 0.05})
    rules = asked.session.spec.project.settings
    assert asked.ref == REF
    assert [rule.name for rule in rules if rule.problem(asked.setting(rule))] == []
    assert len(asked.backups()) > 1
    assert asked.repeats
    assert time.monotonic() - began < 30


def test_a_token_that_is_refused_is_no_finding(project: Reader) -> None:
    with pytest.raises(NotConfigured, match="set SUPABASE_ACCESS_TOKEN"):
        _ = project(token="another").ref


def test_a_key_of_no_project_is_named(project: Reader) -> None:
    with pytest.raises(Failure) as caught:
        _ = project(anon="of another project").ref
    assert (caught.value.code, caught.value.subject) == ("project.mismatch", "key SUPABASE_ANON_KEY")


def test_a_setting_that_differs_is_named(project: Reader) -> None:
    asked = project(auth={"jwt_exp": 99999})
    rule = next(rule for rule in asked.session.spec.project.settings if rule.field == "jwt_exp")
    with pytest.raises(Failure) as caught:
        expect_setting(asked.session, None, rule)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.subject) == ("project.setting", "setting token life")


def test_without_a_token_nothing_is_judged(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    with pytest.raises(NotConfigured, match="set SUPABASE_ACCESS_TOKEN"):
        Management(session)
    session.close()


@pytest.mark.parametrize(
    ("value", "project"),
    [
        ("https://abcdef.supabase.co", "abcdef"),
        ("https://abcdef.supabase.co/storage/v1", "abcdef"),
        ("postgresql://postgres:secret@db.abcdef.supabase.co:5432/postgres", "abcdef"),
        ("postgresql://postgres.abcdef:secret@aws-0-us-west-2.pooler.supabase.com:6543/postgres", "abcdef"),
        ("postgresql://staging_user:secret@localhost:5432/staging_db", ""),
        ("https://localhost:8443", ""),
        ("sb_secret_abc", ""),
    ],
)
def test_a_value_names_its_project(value: str, project: str) -> None:
    assert project_in(value, "ref") == project


def test_two_projects_are_one_too_many(tmp_path: Path) -> None:
    database = "postgresql://postgres.second:secret@aws-0-us-west-2.pooler.supabase.com:6543/postgres"
    session = a_session(tmp_path, SUPABASE_URL="https://first.supabase.co", DATABASE_URL=database)
    with pytest.raises(Failure) as caught:
        expect_one_project(session, "DATABASE_URL")
    assert (caught.value.code, caught.value.subject) == ("project.mismatch", "variable DATABASE_URL")
    session.close()


@pytest.mark.parametrize(
    ("rule", "value", "is_right"),
    [
        ({"equals": True}, True, True),
        ({"equals": False}, None, False),
        ({"at_most": 10}, 10, True),
        ({"at_most": 10}, "many", False),
        ({"at_least": 8}, 6, False),
        ({"holds": "a,b"}, "b, c, a", True),
        ({"holds": "a,b"}, "a", False),
    ],
)
def test_a_setting_is_compared_as_it_is_meant(rule: dict[str, Any], value: object, is_right: bool) -> None:
    assert (ProjectSetting(name="x", call="auth", field="x", **rule).problem(value) == "") == is_right


# ── The matrix ───────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("cell", "outcome", "code"),
    [
        (("documents", "SELECT", "other"), Outcome(False, "a policy"), None),
        (("documents", "SELECT", "other"), Outcome(True), "db.open"),
        (("documents", "DELETE", "owner"), Outcome(True), "db.writable"),
        (("documents", "SELECT", "owner"), Outcome(False, "a policy"), "db.hidden"),
        (("documents", "SELECT", "owner"), Outcome(False, "42501", "refused all the same"), "db.hidden"),
        (("documents", "SELECT", "other"), Outcome(False, "42501", "refused all the same"), "not judged"),
        (("documents", "INSERT", "service"), Outcome(False, unclear="NotNullViolationError"), "not judged"),
    ],
)
def test_a_cell_is_judged_by_what_came_of_it(tmp_path: Path, cell: tuple[Any, ...], outcome: Outcome, code: str | None) -> None:
    session = a_session(tmp_path)
    found = None
    try:
        SecurityMatrix(Database(session)).require(Cell(*cell), outcome, "SQL")
    except Failure as failure:
        found = failure.code
    except pytest.skip.Exception:
        found = "not judged"
    session.close()
    assert found == code


# ── Linters of others ────────────────────────────────────────────────────────────────────────────────────
LINT = {"level": "ERROR", "detail": "d", "metadata": {"type": "table", "name": "documents", "schema": "upload_pipeline"}}
CANARY = [{**LINT, "name": rule, "categories": ["SECURITY"]} for rule in linters.PLANTED_LINTS.values()]


def advisors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[list[dict[str, Any]]]) -> Advisors:
    """Advisors whose command gives these answers, one after the other."""
    found = Advisors(a_session(tmp_path), Scratch())
    monkeypatch.setattr(found, "_plant", lambda: "postgresql://postgres:secret@127.0.0.1:9/canary")
    monkeypatch.setattr(linters, "program", lambda *_: "supabase")
    monkeypatch.setattr(linters, "run", lambda *_: answers.pop(0))
    return found


def test_a_linter_that_misses_what_was_planted_judges_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotConfigured, match="does not report what was planted: duplicate_index, rls_disabled_in_public"):
        advisors(tmp_path, monkeypatch, [[], []]).wrong("security")


def test_only_grave_lints_of_the_own_schemas_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {**LINT, "name": "policy_exists_rls_disabled", "categories": ["SECURITY"]}
    info = {**own, "name": "unused_index", "level": "INFO"}
    others = {**own, "metadata": {"type": "table", "name": "notes", "schema": "public"}}
    excused = {**own, "name": "extension_in_public"}
    asked = advisors(tmp_path, monkeypatch, [CANARY, [own, info, others, excused]])
    assert [(lint.rule, lint.subject) for lint in asked.wrong("security")] == [
        ("policy_exists_rls_disabled", "table documents")
    ]
    assert asked.wrong("performance") == []


def test_a_tool_that_is_missing_is_named() -> None:
    with pytest.raises(NotConfigured, match="no-such-tool is not installed: npm install"):
        program("no-such-tool", "npm install")


def test_what_a_tool_says_instead_of_a_result_is_shown(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho 'no route to the database' >&2\nexit 1\n")
    tool.chmod(0o755)
    with pytest.raises(NotConfigured, match="tool ended with 1 and without a result: no route to the database"):
        run([str(tool)], {})
    tool.write_text(f"#!/bin/sh\necho '{json.dumps({'results': [{'name': 'one'}]})}'\nexit 1\n")
    assert run([str(tool)], {}) == [{"name": "one"}]


def test_no_password_stands_on_a_command_line() -> None:
    place, password = address("postgresql://who%40x:s%3Acret@127.0.0.1:5432/name?application_name=x", ["public", "own"])
    assert password == "s:cret"
    assert "cret" not in place
    assert place.startswith("postgresql://who%40x@127.0.0.1:5432/name?")
    assert "sslmode=disable" in place
    assert "sslmode" not in address("postgresql://who:x@db.example.com:5432/name", [])[0]
