"""Removes the results of the run before, so that they are not taken for those of this one."""

from __future__ import annotations

import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from gate.judge_again import FOLDER

FILES = (
    "verdict.json",
    "checklist.md",
    "junit.xml",
    "ctrf.json",
    "facts.json",
    "index.html",
    "summary.json",
    "audit.json",
    "audit.html",
)
ALLURE_RESULTS = "allure-results"
FOLDERS = (ALLURE_RESULTS, "allure-report", "load", FOLDER)
# Folders that are being removed.
ASIDE = ".old-"


def remove_files(out: Path) -> None:
    """Remove the files of the run before."""
    for name in FILES:
        (out / name).unlink(missing_ok=True)


def remove_folders(out: Path) -> threading.Thread:
    """Put its folders aside, and remove them in a thread of its own, which is returned: they hold thousands of files."""
    out.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=out))
    for name in FOLDERS:
        with suppress(FileNotFoundError):
            (out / name).rename(aside / name)
    removal = threading.Thread(target=_remove, args=(list(out.glob(f"{ASIDE}*")),), name="removal")
    removal.start()
    return removal


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
