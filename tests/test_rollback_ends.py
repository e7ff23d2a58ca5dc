"""Rollbacks that fail or are interrupted: what is said first, what is kept, how it goes on (§7)."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.rollback import unfinished
from fixtures.rollback.journal import Journal
from gate.exit_codes import ExitCode
from gate.failures import Failure
from gate.places import ROOT
from gate.session import Session
from tests.conftest import without_settings
from tests.recorded import a_session
from tests.rollback_account import IDS, NAME, NEXT, OLD, Platform, platform

ACT = ("--act", "--confirm", NAME)
SERVICE = IDS["api"]
MOMENTS = 4


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Platform]:
    """A platform on which N+1 went live after a snapshot of N, with the mishaps that the test asks for."""
    with platform(tmp_path, monkeypatch, **getattr(request, "param", {})) as found:
        assert found.run("--snapshot") == ExitCode.PASS
        found.release_next()
        found.requests.clear()
        yield found


def mishap(**mishaps: Any) -> dict[str, Any]:
    """The double's settings for these mishaps."""
    return {"render_mishaps": mishaps}


def journal(later: Platform) -> Journal:
    """The program's own."""
    path = next((later.folder / "kept").glob("journal-*.jsonl"))
    return Journal(path.parent, path.stem.removeprefix("journal-"))


def session(later: Platform) -> Session:
    """A session of the gate on the same target."""
    return a_session(later.folder, API_BASE_URL=later.api_url, HARNESS_ROLLBACK_FOLDER=str(later.folder / "kept"))


# ── A rollback that fails says so first ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("later", "code", "subject"),
    [
        (mishap(rollback_gone=[SERVICE]), "rollback.refused", "service api"),
        (mishap(rollback_fails=[SERVICE]), "rollback.failed", "service api"),
        (mishap(rollback_elsewhere=[IDS["worker"]]), "rollback.release", "service worker"),
        (mishap(variables_kept=["LOG_LEVEL"]), "rollback.environment", "variable api LOG_LEVEL"),
    ],
    indirect=["later"],
)
def test_a_failure_is_the_first_thing_that_is_said(
    later: Platform, capsys: pytest.CaptureFixture[str], code: str, subject: str
) -> None:
    assert later.run(*ACT) == ExitCode.FAIL
    shown = capsys.readouterr().out
    assert f"FAILED      {code} of {subject}" in shown
    assert "UNFINISHED" in shown
    attempt = journal(later).unfinished()
    assert attempt is not None
    assert attempt.entries[-1]["failure"]["code"] == code
    # Whoever starts it again, and the gate, is told before anything else.
    assert later.run() == ExitCode.PASS
    assert capsys.readouterr().out.startswith("UNFINISHED")
    gate = session(later)
    assert unfinished.lines(gate)[0].startswith("UNFINISHED")
    with pytest.raises(Failure) as raised:
        unfinished.require_finished(gate)
    assert raised.value.code == "rollback.unfinished"
    gate.close()


@pytest.mark.parametrize("later", [mishap(rollback_stuck=[SERVICE])], indirect=True)
def test_a_deploy_that_never_goes_live_ends_at_its_deadline(
    later: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fixtures.rollback.engine.Engine.seconds", lambda *_: 1.0)
    assert later.run(*ACT) == ExitCode.FAIL
    assert "FAILED      rollback.stuck of step service" in capsys.readouterr().out


@pytest.mark.parametrize("later", [mishap(rollback_gone=[SERVICE])], indirect=True)
def test_a_build_that_is_gone_is_built_anew(later: Platform) -> None:
    assert later.run(*ACT) == ExitCode.FAIL
    assert later.run("--resume", "--rebuild", *ACT) == ExitCode.PASS
    assert later.live("api") == later.live("worker") == OLD
    assert journal(later).unfinished() is None


@pytest.mark.parametrize("later", [mishap(variables_kept=["LOG_LEVEL"])], indirect=True)
def test_nothing_else_is_begun_before_an_unfinished_rollback_is_closed(
    later: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    assert later.run(*ACT) == ExitCode.FAIL
    later.requests.clear()
    assert later.run("--resume") == ExitCode.PASS
    assert later.run("restart", *ACT) == ExitCode.BLOCKED
    assert later.run("--close", "", "--confirm", NAME) == ExitCode.USAGE
    assert later.run("--close", "set by hand", "--confirm", NAME) == ExitCode.PASS
    assert later.writes == []
    capsys.readouterr()
    assert later.run("--status") == ExitCode.PASS
    assert "closed" in capsys.readouterr().out
    assert later.run("restart", *ACT) == ExitCode.PASS


# ── Interrupted at any moment ────────────────────────────────────────────────────────────────────────────
def interrupted(later: Platform, number: signal.Signals, entries: int, pause: float) -> int:
    """The program's exit code, interrupted a moment after its journal had so many lines."""
    command = [sys.executable, "-m", "fixtures.rollback", *ACT, "--env-file", str(later.env_file)]
    env = without_settings() | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end and lines(later) < entries:
        time.sleep(0.002)
    time.sleep(pause)
    if process.poll() is None:
        os.kill(process.pid, number)
    return process.wait(60)


def lines(later: Platform) -> int:
    """How many lines the journal has."""
    return sum(path.read_bytes().count(b"\n") for path in (later.folder / "kept").glob("journal-*.jsonl"))


@pytest.mark.twin
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["INT", "KILL"])
@pytest.mark.parametrize("seed", range(MOMENTS))
def test_an_interruption_never_goes_unmentioned(
    later: Platform, capsys: pytest.CaptureFixture[str], number: signal.Signals, seed: int
) -> None:
    chance = random.Random(f"{seed} {number}")
    code = interrupted(later, number, chance.randint(1, 24), chance.random() * 0.2)
    is_whole = later.live("api") == later.live("worker") == OLD and later.variables("api")["LOG_LEVEL"] == "INFO"
    is_untouched = later.live("api") == later.live("worker") == NEXT and not later.writes
    attempt = journal(later).unfinished()
    gate = session(later)
    assert bool(unfinished.lines(gate)) == (attempt is not None)
    gate.close()
    capsys.readouterr()
    if attempt is None:
        assert is_whole or is_untouched
        return
    assert code != ExitCode.PASS
    later.run()
    assert capsys.readouterr().out.startswith("UNFINISHED")
    assert later.run("--resume", *ACT) == ExitCode.PASS
    assert later.live("api") == later.live("worker") == OLD
    assert journal(later).unfinished() is None
    # What was asked for before the interruption is not asked for again while it is under way.
    rollbacks = [line for line in later.writes if line.endswith(f"{SERVICE}/rollback")]
    assert len(rollbacks) == 1


def test_a_second_process_is_kept_out(later: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    later.run(*ACT)
    later.release_next()
    later.run("--snapshot")
    later.requests.clear()
    with journal(later).held():
        assert later.run("restart", *ACT) == ExitCode.USAGE
    assert "another process rolls this target back" in capsys.readouterr().err
    assert later.writes == []


def test_no_line_of_the_journal_holds_a_secret(later: Platform) -> None:
    later.run(*ACT)
    for entry in journal(later).path.read_text().splitlines():
        assert "staging-openai" not in entry
        assert json.loads(entry)["event"]
