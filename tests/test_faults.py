"""A part of the fault matrix on every change: the gate sees the fault, names the part, and stays green without one."""

import json
from pathlib import Path

import pytest

from gate.exit_codes import ExitCode
from gate.places import STATE
from proof.named import names
from reports.schema import VerdictData
from reports.timeline import telling
from tests.conftest import Pytest
from twin.catalogue import load
from twin.faults import REGISTRY

load()


def verdict(folder: Path) -> VerdictData:
    """What the run concluded."""
    found: VerdictData = json.loads((folder / "out" / "verdict.json").read_text())
    return found


# The builds take most of the pre-deploy suite's time: what is no fault of theirs is looked for in the other modules. What every
# check of tokens or of answers shows is looked for in one or two modules.
BUILDS = "--ignore=acceptance/predeploy/test_service_builds.py"
WHERE = {"F08": "test_authentication", "F16": "test_retrieval or test_external_integrations"}


@pytest.mark.parametrize(
    ("suite", "fault", "component"),
    [
        ("predeploy", "F01", "llamaparse"),
        ("predeploy", "F04", "storage"),
        ("predeploy", "F06", "database"),
        ("predeploy", "F10", "worker"),
        ("predeploy", "F17", "build"),
        ("predeploy", "F36", "render"),
        ("postdeploy", "F08", "auth"),
        ("postdeploy", "F16", "chat"),
    ],
)
def test_the_fault_is_caught_and_named(gate: Pytest, tmp_path: Path, suite: str, fault: str, component: str) -> None:
    done = gate(
        "-m",
        suite,
        "--target",
        "twin",
        "--fault",
        fault,
        *([] if component == "build" else [BUILDS]),
        "-k",
        WHERE.get(fault, ""),
    )
    assert done.returncode == ExitCode.FAIL, done.stdout
    top = verdict(tmp_path)["findings"][0]
    assert (top["component"], top["failure_mode"]) == (component, fault)
    assert top["expected"]
    assert top["evidence"]
    assert top["causes"]
    assert top["next_step"]
    assert "Traceback" not in done.stdout
    if pattern := REGISTRY[fault].log if suite not in REGISTRY[fault].silent else "":
        entry = telling(top)
        assert entry is not None, top["timeline"]
        assert names(pattern, [entry["text"]])
        assert f"log        {entry['source']} " in done.stdout


def test_two_faults_are_two_findings(gate: Pytest, tmp_path: Path) -> None:
    done = gate("-m", "postdeploy", "--target", "twin", "--fault", "F04", "--fault", "F20")
    assert done.returncode == ExitCode.FAIL
    findings = verdict(tmp_path)["findings"]
    named = [(finding["component"], finding["failure_mode"]) for finding in findings]
    assert named == [("storage", "F04"), ("network", "F20")], done.stdout


def test_production_stops_the_run_before_it_writes(gate: Pytest, tmp_path: Path) -> None:
    done = gate("-m", "predeploy", "--target", "twin", "--fault", "F35")
    assert done.returncode == ExitCode.USAGE
    assert "SUPABASE_URL: looks like production" in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


# In one process and in the usual order tests/test_live_page.py runs them.
def test_a_healthy_twin_is_green_and_leaves_nothing(gate: Pytest, tmp_path: Path) -> None:
    done = gate("-m", "predeploy or postdeploy", "--target", "twin", "-n", "2", "-p", "tests.reversing")
    assert done.returncode == ExitCode.PASS, done.stdout
    found = verdict(tmp_path)
    assert found["verdict"] == "pass"
    assert found["findings"] == []
    run_id = found["run_id"]
    assert not (STATE / run_id).exists()
    assert all(item["checks"] for item in found["checklist"] if item["id"].startswith(("6.", "8.1.", "8.2.")))


def test_a_run_that_only_reads_judges_what_it_can_and_writes_nothing(gate: Pytest, tmp_path: Path) -> None:
    done = gate("-m", "predeploy or postdeploy", "--target", "twin", "--read-only")
    assert done.returncode == ExitCode.PASS, done.stdout
    found = verdict(tmp_path)
    assert found["counts"]["passed"] > 300
    reasons = {c["observed"] for item in found["checklist"] for c in item["checks"] if c["status"] == "skipped"}
    assert any(reason.startswith("READ ONLY: POST /auth/v1/admin/users would write") for reason in reasons)
