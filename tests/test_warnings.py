"""A warning is an error in the project's own tests, and changes nothing in a gate's run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, without_settings

LIBRARY = """
import warnings
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    warnings.warn("a library's old name", DeprecationWarning)
"""


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """pytest with a plugin that warns in every test."""
    (folder / "library.py").write_text(LIBRARY)
    environment = without_settings() | {"PYTHONPATH": os.fspath(folder)}
    command = [sys.executable, "-m", "pytest", "-p", "library", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.twin
def test_a_warning_changes_nothing_in_the_gate(tmp_path: Path) -> None:
    settings, out = tmp_path / "t.env", tmp_path / "out"
    settings.write_text("API_BASE_URL=http://127.0.0.1:9\nSUPABASE_URL=http://127.0.0.1:9\n")
    live = ("--target=live", f"--env-file={settings}", f"--out={out}")
    quiet = run(tmp_path, *live, "acceptance/predeploy/test_api_keys.py")
    assert quiet.returncode == 6, quiet.stdout + quiet.stderr
    assert "library's old name" not in quiet.stdout + quiet.stderr
    # As an error it would be seen: the plugin does warn.
    loud = run(tmp_path, "-W", "error::DeprecationWarning", *live, "acceptance/predeploy/test_api_keys.py")
    assert "library's old name" in loud.stdout


def test_a_warning_fails_the_projects_own_tests(tmp_path: Path) -> None:
    done = run(tmp_path, "tests/test_masking.py")
    assert done.returncode == 1
    assert "DeprecationWarning: a library's old name" in done.stdout
