"""What CI calls: workflows that are valid and run the project's own commands, notifications, waiting, comparison."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.release import ReleaseWatch, is_release
from gate.exit_codes import ExitCode
from reports import ci, compare, notify
from tests.conftest import ROOT
from tests.recorded import a_session, a_verdict
from tests.servers import answering

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()
BUILT_IN = {"github", "runner", "env", "matrix", "inputs", "secrets", "steps", "needs", "job", "jobs"}


def workflow(path: Path) -> dict[str, Any]:
    """A workflow; YAML reads `on` as true."""
    found: dict[Any, Any] = yaml.safe_load(path.read_text())
    found["on"] = found.pop(True, found.get("on"))
    return found


def runs(path: Path) -> list[str]:
    """All commands of a workflow."""
    return [step["run"] for job in workflow(path)["jobs"].values() for step in job.get("steps", ()) if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.name))
def test_the_workflow_follows_githubs_schema(path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.name))
def test_what_the_workflow_refers_to_exists(path: Path) -> None:
    data, text = workflow(path), path.read_text()
    called = data["on"].get("workflow_call") or data["on"].get("workflow_dispatch") if isinstance(data["on"], dict) else None
    called = called or {}
    for expression in re.findall(r"\$\{\{(.*?)\}\}", text):
        assert set(re.findall(r"(?<![\w.'])([a-z]+)\.", expression)) <= BUILT_IN, expression
        assert set(re.findall(r"inputs\.([\w-]+)", expression)) <= set(called.get("inputs") or {}), expression
        if "workflow_call" in data["on"]:
            assert set(re.findall(r"secrets\.([\w-]+)", expression)) <= set(called["secrets"]), expression
    for job in data["jobs"].values():
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= set(data["jobs"])
        assert job.get("timeout-minutes", 60) <= 120
        assert all("@v" in step["uses"] for step in job["steps"] if "uses" in step)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.name))
def test_each_step_is_a_command_that_runs_here_too(path: Path) -> None:
    allowed = (r"make [\w-]+", r"\.ci/run$", r"umask 077 && printf", r"rm -f \.env\.staging$", r"gh pr comment ")
    for command in runs(path):
        assert any(re.match(form, command) for form in allowed), command
        if match := re.match(r"make ([\w-]+)", command):
            assert re.search(rf"^(\w[\w -]* )?{match[1]}( [\w -]*)?:", MAKEFILE, re.M), command


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.name))
def test_nothing_from_outside_is_put_into_a_command(path: Path) -> None:
    assert not [command for command in runs(path) if "${{" in command]


def test_findings_become_annotations_in_one_line_each() -> None:
    data = a_verdict()
    data["not_judged"] = [{"what": "set RENDER_API_KEY", "set": "RENDER_API_KEY", "checks": 3}]
    assert ci.annotation_lines(data) == [
        "::error title=storage%3A no access | <b>bold</b>::expected 200; observed 403%0Aforbidden; next: apply the migration",
        "::warning title=not judged::3 checks: set RENDER_API_KEY",
    ]


def test_the_comment_shows_what_attacks_it_as_text() -> None:
    text = ci.format_markdown(a_verdict())
    assert "<b>" not in text
    assert "no access &#124; &lt;b&gt;bold" in text
    assert "| 1 |" in text


def test_a_notification_is_sent_again_after_a_temporary_failure() -> None:
    seen: list[tuple[str, Any]] = []

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        seen.append((path, body))
        return (503, {}) if len(seen) < 3 else (200, {})

    with answering(answer) as url:
        lines = notify.notify(a_verdict(), {"SLACK_WEBHOOK_URL": f"{url}/hook-of-a-test"}, first_wait=0.01)
    assert lines == ["notified   webhook"]
    assert len(seen) == 3
    assert "*FAIL* on staging" in seen[-1][1]["text"]
    assert "apply the migration" in seen[-1][1]["text"]


def test_what_cannot_be_delivered_is_said_without_the_address_and_changes_nothing() -> None:
    with answering(lambda *_: (403, {})) as url:
        env = {"SLACK_WEBHOOK_URL": f"{url}/hook-of-a-test", "GITHUB_TOKEN": "token-of-a-test", "GITHUB_REPOSITORY": "o/r"}
        lines = notify.notify(a_verdict(), env | {"GITHUB_API_URL": url}, first_wait=0.01)
    assert len(lines) == 2
    assert all("the verdict stands" in line for line in lines)
    assert "hook-of-a-test" not in "".join(lines)
    assert "token-of-a-test" not in "".join(lines)


def test_the_commits_status_names_the_first_finding() -> None:
    seen: list[tuple[str, Any]] = []

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        seen.append((path, body))
        return 201, {}

    with answering(answer) as url:
        env = {"GITHUB_TOKEN": "token-of-a-test", "GITHUB_REPOSITORY": "o/r", "GITHUB_API_URL": url, "REPORT_URL": "https://r"}
        assert notify.notify(a_verdict(), env) == ["notified   commit status"]
    path, body = seen[0]
    assert path == f"/repos/o/r/statuses/{'c' * 40}"
    assert body["state"] == "failure"
    assert body["description"].startswith("storage: no access")
    assert body["target_url"] == "https://r"


@pytest.mark.parametrize(
    ("wanted", "seen", "same"),
    [("abcdef1", "abcdef1234", True), ("abcdef1234", "abcdef1", True), ("1.2.0", "1.2.0", True), ("1.2", "1.2.0", False),
     ("abc", "abcdef1234", False), ("abcdef1", None, False), ("abcdef1", "bbcdef1234", False)],
)  # fmt: skip
def test_a_release_is_known_by_commit_or_version(wanted: str, seen: object, same: bool) -> None:
    assert is_release(wanted, seen) is same


@pytest.mark.parametrize(
    ("deploy", "health", "state", "exit_code"),
    [
        ("live", "f00dfeed", "live", ExitCode.PASS),
        ("build_in_progress", "0ld0ld0", "still deploying", ExitCode.BLOCKED),
        ("update_in_progress", None, "still deploying", ExitCode.BLOCKED),
        ("build_failed", "0ld0ld0", "failed to build", ExitCode.FAIL),
        ("update_failed", "0ld0ld0", "failed to start", ExitCode.FAIL),
        ("canceled", "0ld0ld0", "old release still live", ExitCode.FAIL),
        (None, "0ld0ld0", "old release still live", ExitCode.FAIL),
        (None, None, "no answer", ExitCode.BLOCKED),
    ],
)
def test_the_state_of_a_deployment_is_told_apart(
    tmp_path: Path, deploy: str | None, health: str | None, state: str, exit_code: ExitCode
) -> None:
    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        if path.startswith("/v1/services?"):
            return 200, [{"service": {"id": "srv-1"}}]
        if path.startswith("/v1/services/srv-1/deploys"):
            return 200, [{"deploy": {"id": "dep-1", "status": deploy, "commit": {"id": "f00dfeed" * 5}}}] if deploy else []
        return (200, {"commit": health * 5, "version": "1"}) if health else (502, "bad gateway")

    with answering(answer) as url:
        session = a_session(tmp_path, API_BASE_URL=url, RENDER_BASE_URL=url, RENDER_API_KEY="key-of-a-test")
        states: list[str] = []
        seen = ReleaseWatch(session, "f00dfeed").wait(0, states.append)
    assert [text.partition(":")[0] for text in states] == [state]
    assert seen.exit_code == exit_code


def test_two_runs_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = a_verdict(), a_verdict()
    new["checklist"][0]["checks"] = [
        {"id": "a.py::two", "status": "failed", "promise": "p", "observed": "500", "seconds": 2.0},
        {"id": "a.py::three", "status": "passed", "promise": "p", "observed": "", "seconds": 0.1},
    ]
    found = compare.compare(old, new)
    assert found.newly_red == ["a.py::two: failed, 500"]
    assert found.removed == ["a.py::one"]
    assert found.new == ["a.py::three"]
    assert found.slower == ["a.py::two: 0.1 s → 2.0 s"]
    for name, data in (("a", old), ("b", new)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "verdict.json").write_text(json.dumps(data))
    monkeypatch.setattr(sys, "argv", ["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    assert compare.main() == ExitCode.FAIL
    assert "newly red (1)" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["compare", str(tmp_path / "a"), str(tmp_path / "none")])
    assert compare.main() == ExitCode.USAGE
