"""A copy of the project that may be changed, and the gate of it."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, without_settings

FOLDERS = ("acceptance", "fixtures", "gate", "load", "reports", "spec", "twin")
FILES = ("conftest.py", "pyproject.toml")


class Copy:
    """The project in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in FOLDERS:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "out", "history"))
        for name in FILES:
            shutil.copy(ROOT / name, folder)

    def replace(self, file: str, old: str, new: str) -> None:
        """Change the twin, as its own developers would."""
        path = self.folder / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    def gate(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The gate of the copy; results go to `out` in it."""
        command = [sys.executable, "-m", "pytest", "--target", "twin", f"--out={self.folder / 'out'}", *arguments]
        return subprocess.run(command, cwd=self.folder, env=without_settings(), capture_output=True, text=True, timeout=120)
