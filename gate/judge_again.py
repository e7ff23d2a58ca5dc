"""Judges what is live now by a run of its own: the same target and specification, other results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from gate import env_file
from gate.acting import After
from gate.exit_codes import ExitCode
from gate.places import ROOT
from gate.session import Session
from gate.settings import OWN

FOLDER = "after"
COMMIT = "HARNESS_EXPECTED_COMMIT"
# Exit codes of runs that came to a verdict.
JUDGED = (ExitCode.PASS, ExitCode.FAIL, ExitCode.BLOCKED)
POLL_SECONDS = 0.2
CLEAN_UP_SECONDS = 30.0


class JudgeAgain:
    """Starts the gate on the target of a session, with the suites that judge a live release.

    It never acts: the option is not handed on.
    """

    def __init__(self, session: Session, config: pytest.Config, suites: str) -> None:
        self._session = session
        self._suites = suites
        self._policy = config.option.policy
        self._out = Path(config.option.out).resolve()

    def __call__(self, commit: str, seconds: float) -> After:
        """What it has shown. `commit` is expected to be live, whatever was expected before; empty expects none."""
        out = self._out / FOLDER
        (out / "verdict.json").unlink(missing_ok=True)
        out.mkdir(parents=True, exist_ok=True)
        with (out / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                self._command(out), cwd=ROOT, env=self._environment(commit), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            try:
                ended = _wait(process, seconds)
            finally:
                _end(process)
        if not ended:
            return After("", findings=[f"it did not end within {seconds:g} s"], report=f"{FOLDER}/log.txt")
        return _after(out, process.returncode)

    def _command(self, out: Path) -> list[str]:
        run, session = self._session.run, self._session
        files = [f"--env-file={self._file('again.env', run.values)}"]
        files += [f"--worker-env-file={self._file(f'again-{name}.env', env)}" for name, env in run.environments.items()]
        files += [f"--policy={self._policy.resolve()}"] if self._policy else []
        manner = ["--strict"] if run.strict and run.kind == "live" else []
        return [
            sys.executable, "-m", "pytest", "-m", self._suites, "--target=live", f"--spec={run.spec_file}",
            f"--out={out}", *files, *manner, *(["--read-only"] if session.read_only else []),
        ]  # fmt: skip

    def _file(self, name: str, values: Mapping[str, str]) -> Path:
        path = self._session.run.folder / name
        path.unlink(missing_ok=True)
        env_file.write(path, values)
        return path

    def _environment(self, commit: str) -> dict[str, str]:
        """This process's, without any setting of a target: those stand in the files. What was expected does no longer hold."""
        spec = self._session.spec
        names = spec.variables.keys() | spec.harness.settings.keys() | OWN.keys()
        kept = {name: value for name, value in os.environ.items() if name not in names}
        return kept | {COMMIT: commit}


def _wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while process.poll() is None:
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)  # a process says nothing before it ends
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it as Ctrl-C does, so that it cleans up; with force when it does not follow."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(CLEAN_UP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _after(out: Path, code: int) -> After:
    """What the run left; one that judged nothing, or did not come to its end, has no verdict."""
    if code not in JUDGED:
        return _without_verdict(out, code)
    try:
        data = json.loads((out / "verdict.json").read_text(encoding="utf-8"))
        titles: Sequence[str] = [f"{entry['component']}: {entry['title']}" for entry in data["findings"]]
        decision = data.get("decision", {}).get("action", "")
        return After(data["verdict"], decision, data["target"]["release"], titles, f"{FOLDER}/index.html")
    except (OSError, ValueError, KeyError, TypeError):
        return _without_verdict(out, code)


def _without_verdict(out: Path, code: int) -> After:
    lines = (out / "log.txt").read_text(errors="replace").strip().splitlines() or ["it printed nothing"]
    return After("", findings=[f"it ended with exit code {code}: {lines[-1]}"], report=f"{FOLDER}/log.txt")
