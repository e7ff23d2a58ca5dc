"""Whole runs of the gate on a target of which only Render's double responds: what they write there with --act, and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.acting.acts import BEGUN, REQUESTING, Acts
from tests.conftest import Pytest
from tests.recorded import a_session
from tests.test_acting import API, KEY, WORKER, Double, an_app, serving

POLICY = """
[acting]
again = "contract and predeploy"
judge_seconds = 120
[[rule]]
name = "whatever is wrong goes back"
action = "roll_back"
harms = ["outage", "wrong_answers", "broken_promise", "drift", "slow", "data_lost", "secrets"]
"""
DRIFTED = {f"{API}.serviceDetails.plan": "pro"}
# The checks that read Render, of every suite, and a few of others.
READING = "detail or render or deploy or release or platform or figure or audit"


@pytest.fixture
def double() -> Iterator[Double]:
    """An account whose API has another plan than specified."""
    with serving(Double(app=an_app(render=DRIFTED))) as found:
        yield found


@pytest.fixture
def target(double: Double, tmp_path: Path) -> dict[str, str]:
    """Settings of a target of which only Render responds; the env file and the policy lie in the test's folder."""
    values = {
        "API_BASE_URL": "http://127.0.0.1:9",
        "DATABASE_URL": "postgresql://staging_user:a-long-password@127.0.0.1:9/staging_db",
        "SUPABASE_URL": "http://127.0.0.1:9",
        "RENDER_BASE_URL": double.url,
        "RENDER_API_KEY": KEY,
        "HARNESS_ROLLBACK_FOLDER": str(tmp_path / "rollback"),
        "HARNESS_SPEEDUP": "1000",
    }
    (tmp_path / "target.env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    (tmp_path / "own.toml").write_text(POLICY)
    return values


def options(folder: Path, *more: str) -> list[str]:
    """The options of a run on that target."""
    return ["--target=live", f"--env-file={folder / 'target.env'}", f"--policy={folder / 'own.toml'}", *more]


def verdict(folder: Path) -> dict[str, Any]:
    """What the run left."""
    found: dict[str, Any] = json.loads((folder / "out" / "verdict.json").read_text())
    return found


@pytest.mark.parametrize(
    ("suites", "chosen"),
    [
        ("predeploy", ""),
        ("postdeploy or performance or contract or maintenance or resilience", READING),
        ("predeploy or postdeploy", READING),
    ],
)
def test_without_act_nothing_is_written_at_render(
    gate: Pytest, tmp_path: Path, target: dict[str, str], double: Double, suites: str, chosen: str
) -> None:
    done = gate("-m", suites, *(["-k", chosen] if chosen else []), *options(tmp_path))
    assert double.asked, done.stdout
    assert double.writes == []
    found = verdict(tmp_path)
    assert found["decision"]["action"] == "roll_back", done.stdout
    assert "acting" not in found
    assert done.returncode == {"fail": 1, "blocked": 6}[found["verdict"]]
    assert "decision   ROLL BACK by the rule “whatever is wrong goes back” (own.toml)" in done.stdout


def test_with_act_it_rolls_back_and_judges_again(gate: Pytest, tmp_path: Path, target: dict[str, str], double: Double) -> None:
    session = a_session(tmp_path / "earlier", **target)
    acts = Acts.of(session, tmp_path / "out" / "history")
    acts.note(BEGUN, "r0", action="roll_back", judged={"api": "an earlier deploy"})
    acts.note(REQUESTING, "r0")
    session.close()
    done = gate("-m", "predeploy", "-k", "detail", "--act", *options(tmp_path))
    assert double.writes == [f"POST /v1/services/{name}/rollback" for name in (API, WORKER)], done.stdout
    found = verdict(tmp_path)
    assert (found["acting"]["action"], found["acting"]["state"]) == ("roll_back", "done"), done.stdout
    assert found["acting"]["after"]["verdict"] == ""
    # No check is chosen afterwards, so that nothing says that it is right now.
    first = found["findings"][0]
    assert first["id"].startswith("act.unhealed/")
    assert first["rank"] == 1
    assert done.returncode == 1
    assert "acted      roll back was carried out" in done.stdout
    assert "UNFINISHED roll back of run r0" in done.stdout
    assert found["unfinished"][0].startswith("roll back of run r0")
    assert 'id="decision"' in (tmp_path / "out" / "index.html").read_text()


def test_a_rollback_that_fails_is_said_first(gate: Pytest, tmp_path: Path, target: dict[str, str], double: Double) -> None:
    message = {"message": "rollback is not available"}
    double.instead = lambda method, path: (500, message) if path.endswith("/rollback") else None
    done = gate("-m", "predeploy", "-k", "detail", "--act", "--exit-by=decision", *options(tmp_path))
    found = verdict(tmp_path)
    assert found["acting"]["state"] == "failed", done.stdout
    assert (found["findings"][0]["harm"], found["findings"][0]["rank"]) == ("not_acted", 1)
    assert len(found["findings"]) > 1
    because = next(line for line in done.stdout.splitlines() if line.startswith("because"))
    assert "the decision was not carried out at api" in because
    assert "rollback is not available" in done.stdout
    assert done.returncode == 1


def test_act_and_read_only_exclude_each_other(gate: Pytest, tmp_path: Path, target: dict[str, str], double: Double) -> None:
    done = gate("-m", "predeploy", "--act", "--read-only", *options(tmp_path))
    assert (done.returncode, double.asked) == (4, [])
    assert "leave one of them out" in done.stdout + done.stderr


def test_a_wrong_policy_ends_the_run_before_it_begins(
    gate: Pytest, tmp_path: Path, target: dict[str, str], double: Double
) -> None:
    (tmp_path / "own.toml").write_text(POLICY.replace("roll_back", "pray"))
    done = gate("-m", "predeploy", *options(tmp_path))
    assert (done.returncode, double.asked) == (4, [])
    assert "own.toml: rule.0.action: Input should be" in done.stdout + done.stderr
