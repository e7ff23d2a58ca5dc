"""The rollback program on Render's double: what it plans, sends, refuses, keeps and says (§7)."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.rollback import runbook
from fixtures.rollback.journal import Journal
from gate.exit_codes import ExitCode
from spec import load
from tests.rollback_account import IDS, LATER, NAME, NEXT, OLD, SECRET, Platform, platform

ACT = ("--act", "--confirm", NAME)


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A platform on which N+1 went live after a snapshot of N."""
    with platform(tmp_path, monkeypatch) as found:
        assert found.run("--snapshot") == ExitCode.PASS
        found.release_next()
        found.requests.clear()
        yield found


# ── Without --act nothing is sent ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("procedure", ["rollback", "restart", "reset"])
def test_a_plan_sends_no_writing_request(later: Platform, capsys: pytest.CaptureFixture[str], procedure: str) -> None:
    assert later.run(procedure) == ExitCode.PASS
    shown = capsys.readouterr().out
    assert later.writes == []
    assert later.requests
    assert "nothing was sent" in shown
    assert "POST " in shown or "PUT " in shown
    assert SECRET not in shown
    assert LATER not in shown
    assert not list((later.folder / "kept").glob("journal-*.jsonl"))


def test_the_plan_names_every_request_that_the_rollback_sends(later: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    later.run()
    shown = capsys.readouterr().out
    assert later.run(*ACT) == ExitCode.PASS
    sent = [line.split(" ", 1)[1] for line in later.writes]
    assert len(sent) == 10
    assert all(path in shown for path in sent)


@pytest.mark.parametrize("typed", ["", "yes", "insurance-navigator-staging-worker"])
def test_a_wrong_name_sends_nothing(later: Platform, typed: str) -> None:
    assert later.run("--act", "--confirm", typed) == ExitCode.USAGE
    assert later.writes == []


# ── With it, everything is back ──────────────────────────────────────────────────────────────────────────
def test_services_and_variables_are_back(later: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    assert later.run(*ACT) == ExitCode.PASS
    for service in IDS:
        assert later.live(service) == OLD
        held = later.variables(service)
        assert (held["LOG_LEVEL"], held["OPENAI_API_KEY"]) == ("INFO", SECRET)
        assert "NEW_FEATURE" not in held
    shown = capsys.readouterr()
    for text in (shown.out, shown.err, later.texts):
        assert SECRET not in text
        assert LATER not in text


def test_a_second_rollback_has_nothing_to_do(later: Platform) -> None:
    assert later.run(*ACT) == ExitCode.PASS
    later.run("--snapshot")
    later.requests.clear()
    assert later.run(*ACT) == ExitCode.PASS
    assert later.writes == []


def test_automatic_deploys_are_turned_off(later: Platform) -> None:
    later.ask("PATCH", f"/services/{IDS['api']}", {"autoDeploy": "yes"})
    assert later.run(*ACT) == ExitCode.PASS
    assert later.ask("GET", f"/services/{IDS['api']}")["autoDeploy"] == "no"


def test_a_reset_brings_the_specification_and_the_env_file_back(later: Platform) -> None:
    assert later.run("reset", *ACT) == ExitCode.PASS
    held = later.variables("api")
    assert (held["LOG_LEVEL"], held["OPENAI_API_KEY"], held["NEW_FEATURE"]) == ("INFO", SECRET, "on")
    assert later.live("api") == NEXT


# ── What is kept ─────────────────────────────────────────────────────────────────────────────────────────
def test_what_is_kept_is_for_its_owner_only(later: Platform) -> None:
    later.run(*ACT)
    files = list((later.folder / "kept").iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((later.folder / "kept").stat().st_mode) == 0o700


def test_a_secret_that_is_nowhere_is_refused_before_anything_is_sent(
    later: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {name: value for name, value in later.settings.items() if name != "OPENAI_API_KEY"}
    monkeypatch.setattr(Platform, "settings", settings)
    assert later.run(*ACT) == ExitCode.USAGE
    assert "set OPENAI_API_KEY in the env file to the value that api had at the snapshot" in capsys.readouterr().err
    assert later.writes == []
    assert not list((later.folder / "kept").glob("journal-*.jsonl"))


# ── What is refused ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("name", "value"), [("SUPABASE_URL", "https://production.example.com"), ("NODE_ENV", "production")])
def test_what_looks_like_production_is_refused(
    later: Platform, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    later.ask("PUT", f"/services/{IDS['worker']}/env-vars/{name}", {"value": value})
    for arguments in ((), ACT):
        assert later.run(*arguments) == ExitCode.USAGE
    assert later.writes == []
    assert f"{name} of worker at Render: looks like production" in capsys.readouterr().err


def test_another_targets_snapshot_is_refused(later: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    path = next((later.folder / "kept").glob("snapshot-*.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"target": "https://elsewhere.example.com"}))
    assert later.run(*ACT, "--to", str(path)) == ExitCode.USAGE
    assert "not of" in capsys.readouterr().err
    assert later.writes == []


def test_without_a_snapshot_there_is_nothing_to_go_back_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with platform(tmp_path, monkeypatch) as found:
        assert found.run(*ACT) == ExitCode.USAGE
        assert "there is no snapshot to go back to" in capsys.readouterr().err
        assert found.writes == []


# ── The runbook ──────────────────────────────────────────────────────────────────────────────────────────
def test_the_runbook_is_current() -> None:
    assert runbook.PAGE.read_text() == runbook.page(load())


def test_a_line_that_was_cut_off_swallows_no_other(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "x")
    facts = {"procedure": "restart", "steps": ["restart"], "name": NAME, "release": "r"}
    journal.note("begun", **facts)
    with journal.path.open("a") as file:
        file.write('{"event": "step be')
    journal.note("interrupted", step="restart")
    assert [entry["event"] for entry in journal.attempts()[0].entries] == ["interrupted"]
