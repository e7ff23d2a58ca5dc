"""The Clinic Directory is judged by its own specification, with no line of code for it: green when healthy, red when broken."""

from pathlib import Path

import pytest

from gate.exit_codes import ExitCode
from proof.gate_run import read_verdict
from proof.matrix import known_faults
from proof.targets import spec_of
from tests.conftest import Pytest

CLINIC = f"--spec={spec_of('clinic')}"
# Quick ones, each in one of its suites: a column and an index that are missing, an image, a route, an origin.
BROKEN = {"C02": "predeploy", "C03": "predeploy", "C08": "predeploy", "C10": "postdeploy", "C17": "postdeploy"}


@pytest.mark.parametrize("suites", ["predeploy or postdeploy", "maintenance"])
def test_a_healthy_directory_is_green(gate: Pytest, tmp_path: Path, suites: str) -> None:
    done = gate(CLINIC, "-m", suites)
    assert done.returncode == ExitCode.PASS, done.stdout
    found = read_verdict(tmp_path / "out")
    assert found.verdict == "pass"
    assert found.counts["passed"] > 100
    assert not found.named("failed", "blocked", "not judged")


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_directory_is_red(gate: Pytest, tmp_path: Path, fault: str) -> None:
    suite = BROKEN[fault]
    known = next(known for known in known_faults("clinic") if known.id == fault)
    assert suite in known.suites
    done = gate(CLINIC, "-m", suite, "--fault", fault)
    assert done.returncode == ExitCode.FAIL, done.stdout
    found = read_verdict(tmp_path / "out")
    assert found.findings[0].component in known.component.split("/")
    assert "Traceback" not in done.stdout
