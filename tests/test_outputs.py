"""One run of the gate, without any target: every output shows the same checks, and the exit code is the verdict's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gate.exit_codes import ExitCode
from proof.scrambled import both
from reports import records
from reports.schema import json_schema
from spec import DEFAULT
from tests.conftest import ROOT, without_settings
from tests.outputs.system import BREAKS, LEFT
from tests.recorded import RULES, SPEC, VALUES

CHECKS = ROOT / "tests" / "outputs" / "acceptance" / "predeploy" / "alike.py"
ALLURE = ROOT / "node_modules" / ".bin" / "allure"
KEYS = {"SUPABASE_ANON_KEY": "anon-key-of-a-test", "SUPABASE_SERVICE_ROLE_KEY": "service-key-of-a-test"}
TOTAL = 18
BROKEN = "test_bytes[three]"


@dataclass
class Done:
    """A run that has ended, and the folder of its results."""

    exit_code: int
    text: str
    out: Path

    def read(self, name: str) -> Any:
        """A result in JSON."""
        return json.loads((self.out / name).read_text())

    def checks(self) -> list[dict[str, Any]]:
        """All checks of verdict.json."""
        return [check for item in self.read("verdict.json")["checklist"] for check in item["checks"]]


def run(folder: Path, *arguments: str, env: dict[str, str] | None = None, checks: Path = CHECKS) -> Done:
    """Run the checks that look alike, or those of another module, or some of them, as a live target's."""
    module = folder / "acceptance" / "predeploy" / f"test_{checks.name}"
    module.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(checks, module)
    shutil.copy(ROOT / "conftest.py", folder)
    env_file = folder / "target.env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in (VALUES | KEYS).items()))
    command = [sys.executable, "-m", "pytest", str(module), "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)]
    command += ["-p", "tests.outputs.system", "--target", "live", f"--env-file={env_file}"]
    command += ["--out", str(folder / "out"), *arguments]
    done = subprocess.run(command, cwd=ROOT, env=without_settings() | (env or {}), capture_output=True, text=True, timeout=120)
    return Done(done.returncode, done.stdout + done.stderr, folder / "out")


@pytest.fixture(scope="module", params=["0", "2"], ids=["one process", "two processes"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """All checks, in one process and in several."""
    done = run(tmp_path_factory.mktemp("outputs"), "-n", request.param)
    assert done.exit_code == ExitCode.FAIL, done.text
    return done


def test_the_verdict_counts_every_check(whole: Done) -> None:
    assert whole.read("verdict.json")["counts"] == {"passed": 12, "failed": 1, "skipped": 1, "blocked": 1, "not_judged": 3}
    assert len({check["id"] for check in whole.checks()}) == TOTAL


def test_the_checklist_shows_every_check(whole: Done) -> None:
    boxes = re.findall(r"^  - \[(.)\]", (whole.out / "checklist.md").read_text(), re.M)
    assert Counter(boxes) == {"x": 12, "✗": 1, "-": 1, "▪": 1, "?": 3}


def test_junit_shows_every_check(whole: Done) -> None:
    cases = list(ElementTree.parse(whole.out / "junit.xml").iter("testcase"))
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == TOTAL
    assert sum(case.find("failure") is not None for case in cases) == 1
    assert sum(case.find("skipped") is not None for case in cases) == 5


def test_ctrf_shows_every_check(whole: Done) -> None:
    results = whole.read("ctrf.json")["results"]
    assert len({test["name"] for test in results["tests"]}) == TOTAL
    counted = Counter(test["status"] for test in results["tests"])
    assert counted == {"passed": 12, "failed": 1, "skipped": 1, "other": 1, "pending": 3}
    assert {name: number for name, number in results["summary"].items() if name in counted} == counted
    assert results["summary"]["tests"] == TOTAL
    assert all(test["duration"] >= 0 and test["suite"] == ["predeploy"] for test in results["tests"])


def test_allures_results_tell_the_checks_apart(whole: Done) -> None:
    results = [json.loads(path.read_text()) for path in (whole.out / "allure-results").glob("*-result.json")]
    ids = {check["id"] for check in whole.checks()}
    assert {result["fullName"] for result in results} == ids
    assert len(results) == len({result["historyId"] for result in results}) == TOTAL
    assert len({result["testCaseId"] for result in results}) == TOTAL
    assert not any("<class" in parameter["value"] for result in results for parameter in result.get("parameters", ()))
    assert not any(label["name"] == "gate-node-id" for result in results for label in result["labels"])


def test_allures_page_shows_every_check_once(whole: Done, tmp_path: Path) -> None:
    if not ALLURE.exists():
        pytest.skip("allure is not installed here; `make test` installs it where Node is")
    config = tmp_path / "allurerc.mjs"
    config.write_text("export default { plugins: { awesome: { options: { singleFile: false } } } };\n")
    command = [
        str(ALLURE),
        "generate",
        str(whole.out / "allure-results"),
        "--config",
        str(config),
        "--output",
        str(tmp_path / "page"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = [json.loads(path.read_text()) for path in (tmp_path / "page").rglob("data/test-results/*.json")]
    assert len([result for result in shown if not result.get("hidden") and not result.get("isRetry")]) == TOTAL
    assert not any(result.get("retries") for result in shown)


def test_the_records_lead_to_the_same_findings(whole: Done) -> None:
    checks = records.read(whole.out)
    assert {check.nodeid: check.outcome for check in checks} == {check["id"]: check["status"] for check in whole.checks()}
    plain, nonsense = both(checks, RULES, SPEC, records.unavailable(whole.out))
    shown = [(found["failure_mode"], found["component"]) for found in whole.read("verdict.json")["findings"]]
    assert [found[:2] for found in plain] == [found[:2] for found in nonsense] == shown


def test_what_was_not_judged_is_said_with_the_variable_to_set(whole: Done) -> None:
    wanted = [{"what": "set RENDER_API_KEY", "set": "RENDER_API_KEY", "checks": 3}]
    assert whole.read("verdict.json")["not_judged"] == wanted
    assert "not judged 3 checks: set RENDER_API_KEY" in whole.text
    assert "flaky" not in (whole.out / "index.html").read_text()


def test_the_finding_carries_the_hint(whole: Done) -> None:
    findings = whole.read("verdict.json")["findings"]
    found = next(finding for finding in findings if finding["component"] == "configuration")
    assert (found["expected"], found["next_step"]) == ("something", "the right place")


def test_the_verdict_stands_last_and_killed_runs_first(whole: Done) -> None:
    lines = whole.text.strip().splitlines()
    assert lines[-1].startswith("report ")
    assert "cleaned up  after a run of the test" in lines
    assert whole.read("verdict.json")["residue"] == {"before": {"users": 0}, "after": {"users": 0}}


@pytest.mark.parametrize(
    ("arguments", "verdict", "exit_code"),
    [
        (("-k", "bytes"), "pass", ExitCode.PASS),
        (("-k", "bytes or not_judged"), "pass", ExitCode.PASS),
        (("-k", "bytes or not_judged", "--strict"), "blocked", ExitCode.BLOCKED),
        (("-k", "fails or not_judged", "--strict"), "fail", ExitCode.FAIL),
        (("-k", "is_blocked"), "blocked", ExitCode.BLOCKED),
    ],
)
def test_the_exit_code_is_the_verdicts(tmp_path: Path, arguments: tuple[str, ...], verdict: str, exit_code: ExitCode) -> None:
    done = run(tmp_path, *arguments)
    assert done.exit_code == exit_code, done.text
    assert done.read("verdict.json")["verdict"] == verdict
    if "--strict" in arguments:
        assert all(finding["failure_mode"] is None for finding in done.read("verdict.json")["findings"])


def test_nothing_ran_is_said_by_the_exit_code(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", "no_such_check")
    assert (done.exit_code, done.read("verdict.json")["verdict"]) == (ExitCode.NOTHING_RAN, "blocked")


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_run_that_breaks_is_no_pass(tmp_path: Path, processes: str) -> None:
    done = run(tmp_path, "-n", processes, "-k", "bytes", env={BREAKS: BROKEN})
    assert done.exit_code == ExitCode.INTERNAL_ERROR, done.text
    assert done.read("verdict.json")["verdict"] == "blocked"
    assert "INTERNALERROR> " in done.text
    assert "verdict    BLOCKED" in done.text
    assert "note       the run broke" in done.text


def test_what_is_left_behind_fails_the_run(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", "bytes", env={LEFT: "1 of users"})
    assert done.exit_code == ExitCode.FAIL, done.text
    found = done.read("verdict.json")["findings"][0]
    assert (found["component"], found["evidence"]) == ("harness", "1 of users")
    folder = ROOT / ".state" / done.read("verdict.json")["run_id"]
    assert folder.is_dir()
    shutil.rmtree(folder)


@pytest.mark.parametrize(("processes", "exit_code"), [("0", ExitCode.INTERRUPTED), ("2", ExitCode.FAIL)])
def test_checks_that_cannot_be_loaded_are_no_pass(tmp_path: Path, processes: str, exit_code: ExitCode) -> None:
    broken = tmp_path / "acceptance" / "predeploy" / "test_broken.py"
    broken.parent.mkdir(parents=True)
    broken.write_text("import no_such_module\n")
    done = run(tmp_path, str(broken), "-k", "bytes", "-n", processes)
    assert done.exit_code == exit_code, done.text
    found = done.read("verdict.json")["findings"]
    assert [finding["title"] for finding in found] == ["the checks of acceptance/predeploy/test_broken.py could not be loaded"]


def test_a_file_is_no_folder_for_results(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    done = run(tmp_path, "-k", "bytes")
    assert done.exit_code == ExitCode.USAGE, done.text
    assert "--out: " in done.text
    assert "Traceback" not in done.text


def test_rules_that_cannot_be_used_stop_the_run_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "system"
    folder.mkdir()
    shutil.copy(DEFAULT, folder)
    (folder / "diagnosis.toml").write_text(DEFAULT.with_name("diagnosis.toml").read_text().replace('"F14"', '"F99"', 1))
    done = run(tmp_path, "--spec", str(folder / DEFAULT.name))
    assert done.exit_code == ExitCode.USAGE, done.text
    assert "failure mode 'F99' is not known to insurance-navigator-staging" in done.text
    assert "Traceback" not in done.text
    assert not (tmp_path / "out" / "verdict.json").exists()


def test_the_schema_of_the_verdict_is_the_published_one() -> None:
    published = (ROOT / "docs" / "verdict.schema.json").read_text()
    assert published == json_schema(), "python -m reports.schema > docs/verdict.schema.json"
