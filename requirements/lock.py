"""Makes requirements/lock.txt: one version of every package of the whole tree, for each supported Python. `make lock`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "lock.txt"
SUPPORTED = ("3.11", "3.12", "3.13")
HEAD = "# Every package of the tree, made of pyproject.toml's group `dev` by `make lock`. Not written by hand.\n"
Versions = dict[str, str]


def resolved(python: str, constraints: Iterable[str]) -> tuple[str, Versions]:
    """What pip would install for one interpreter, as (its `major.minor`, version by name); raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        own, limits = Path(folder) / "venv", Path(folder) / "constraints.txt"
        limits.write_text("\n".join(constraints))
        subprocess.run([python, "-m", "venv", own], check=True)
        pip = [str(own / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        # --group is known from pip 25.1 on.
        subprocess.run([*pip, "install", "--upgrade", "pip>=25.1"], check=True)
        wanted = ["install", "--dry-run", "--ignore-installed", "--report", "-", "--group", "dev", "-c", str(limits)]
        report = json.loads(subprocess.run([*pip, *wanted], cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    found = {normal(each["metadata"]["name"]): each["metadata"]["version"] for each in report["install"]}
    return ".".join(report["environment"]["python_version"].split(".")[:2]), found


def normal(name: str) -> str:
    """The name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lines(by_python: dict[str, Versions]) -> list[str]:
    """One requirement for each package and version, with a marker where not every Python needs it."""
    pythons: dict[tuple[str, str], list[str]] = {}
    for python, versions in by_python.items():
        for package in versions.items():
            pythons.setdefault(package, []).append(python)
    found = []
    for (name, version), needed in sorted(pythons.items()):
        marker = " or ".join(f'python_version == "{python}"' for python in needed) if len(needed) < len(by_python) else ""
        found.append(f"{name}=={version}" + (f" ; {marker}" if marker else ""))
    return found


def main(interpreters: list[str]) -> int:
    """Resolve for each interpreter, the oldest first: the later ones take its versions, so that all run the same."""
    by_python: dict[str, Versions] = {}
    first: list[str] = []
    for interpreter in interpreters:
        python, versions = resolved(interpreter, first)
        by_python[python] = versions
        first = first or [f"{name}=={version}" for name, version in versions.items()]
    if tuple(by_python) != SUPPORTED:
        print(f"needs one interpreter each of Python {', '.join(SUPPORTED)}, in this order; was given {', '.join(by_python)}")
        return 4
    LOCK.write_text(HEAD + "\n".join(lines(by_python)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
