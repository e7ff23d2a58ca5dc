"""The review of a deployment that waits at GitHub: what is sent for each decision, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate.exit_codes import ExitCode
from gate.settings import ConfigurationError
from reports import ci
from reports.decision import github
from reports.schema import VerdictData
from spec.model.policy import Action
from tests.recorded import a_verdict
from tests.servers import answering

ENV = {
    "GITHUB_TOKEN": "token-of-an-app", "DEPLOYMENT_REPOSITORY": "owner/name", "DEPLOYMENT_RUN": "42",
    "DEPLOYMENT_ENVIRONMENT": "production", "REPORT_URL": "https://ci/run/1",
}  # fmt: skip


def decided(action: Action) -> VerdictData:
    """A verdict with this decision."""
    data = a_verdict()
    data["decision"] = {
        "action": action, "rule": "a rule", "policy": "policy.toml", "at": "", "because": [], "counted": [], "known": [],
        "expired": [],
    }  # fmt: skip
    return data


@pytest.mark.parametrize(("action", "state"), [("promote", "approved"), ("roll_back", "rejected"), ("hold", None)])
def test_each_decision_has_its_review(action: Action, state: str | None) -> None:
    found = github.review(decided(action), "production", "https://ci/run/1")
    assert found.get("state") == state
    assert found["environment_name"] == "production"
    assert "by the rule “a rule”" in found["comment"]
    assert "[report](https://ci/run/1)" in found["comment"]
    # What the target says of itself makes no links.
    assert "<b>" not in found["comment"]


def test_no_decision_approves_nothing() -> None:
    assert "state" not in github.review(a_verdict("pass"), "production")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN: missing"),
        ({"DEPLOYMENT_RUN": "42/../1"}, "DEPLOYMENT_RUN"),
        ({"DEPLOYMENT_REPOSITORY": "owner/name/../x"}, "DEPLOYMENT_REPOSITORY"),
    ],
)
def test_what_is_missing_is_named(changed: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        github.delivery(decided("promote"), ENV | changed)


@pytest.mark.parametrize(("status", "code"), [(204, ExitCode.PASS), (403, ExitCode.FAIL)])
def test_the_review_is_delivered_or_the_deployment_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int, code: ExitCode
) -> None:
    asked: list[tuple[str, str, Any]] = []

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        asked.append((method, path, body))
        return status, {}

    (tmp_path / "verdict.json").write_text(json.dumps(decided("promote")))
    monkeypatch.setattr("sys.argv", ["github", str(tmp_path)])
    with answering(answer) as url:
        for name, value in (ENV | {"GITHUB_API_URL": url}).items():
            monkeypatch.setenv(name, value)
        assert github.main() == code
    ((method, path, body),) = asked
    assert (method, path) == ("POST", "/repos/owner/name/actions/runs/42/deployment_protection_rule")
    assert body["state"] == "approved"
    assert ENV["GITHUB_TOKEN"] not in capsys.readouterr().out


def test_the_decision_becomes_an_output_of_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "verdict.json").write_text(json.dumps(decided("hold")))
    monkeypatch.setattr("sys.argv", ["ci", str(tmp_path)])
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert ci.main() == ExitCode.PASS
    assert (tmp_path / "outputs").read_text() == "decision=hold\nrule=a rule\n"
