"""Ctrl-C and SIGTERM end a run soon, with what it created removed, and without a word of Python."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gate.exit_codes import ExitCode
from gate.places import ROOT, STATE
from proof.gate_run import read_verdict
from spec import DEFAULT, load
from tests.conftest import Pytest, without_settings

PROBE_SECONDS = 0.05
WAIT_SECONDS = 60.0


def wait_until_something_exists(run: Path, process: "subprocess.Popen[str]") -> None:
    """Until the run has written of something that it creates."""
    deadline = time.monotonic() + WAIT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if any(path.stat().st_size for path in run.glob("journal*")):
            return
        time.sleep(PROBE_SECONDS)  # a file of another process is all there is to look at
    raise AssertionError(f"the run created nothing: exit code {process.poll()}")


@pytest.mark.parametrize(("workers", "sign"), [("0", signal.SIGINT), ("2", signal.SIGINT), ("0", signal.SIGTERM)])
def test_an_interrupted_run_cleans_up(tmp_path: Path, workers: str, sign: signal.Signals) -> None:
    command = [sys.executable, "-m", "pytest", "-m", "postdeploy", "--target", "twin", f"--out={tmp_path}", "-n", workers]
    with subprocess.Popen(command, cwd=ROOT, env=without_settings(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        begun = next(run for line in process.stdout if (run := re.match(r"run (\S+)", line)))
        wait_until_something_exists(STATE / begun[1], process)
        process.send_signal(sign)
        shown, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == ExitCode.INTERRUPTED, shown
    assert "Traceback" not in shown
    assert "INTERNALERROR" not in shown
    assert not (STATE / begun[1]).exists()
    found = read_verdict(tmp_path)
    assert found.verdict != "pass"
    assert found.residue == 0


@pytest.mark.parametrize("workers", ["0", "2"])
def test_no_check_runs_for_ever(gate: Pytest, tmp_path: Path, workers: str) -> None:
    text = DEFAULT.read_text()
    hasty = tmp_path / "hasty.toml"
    hasty.write_text(text.replace(f"check_seconds = {load().safety.check_seconds:g}", "check_seconds = 3"))
    done = gate("acceptance/performance/test_load_smoke.py", "--target", "twin", "--spec", str(hasty), "-n", workers)
    assert done.returncode == ExitCode.FAIL, done.stdout
    found = [finding for finding in read_verdict(tmp_path / "out").findings if finding.component == "harness"]
    assert "the check to end within 3 s" in done.stdout
    assert any(re.search(r"still at work in (load|fixtures|gate)/\w+\.py:\d+", finding.evidence) for finding in found)
    assert "Traceback" not in done.stdout
