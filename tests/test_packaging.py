"""Used from a checkout with locked versions: nothing is built, and the lock is what pyproject.toml asks for."""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from tests.conftest import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements" / "lock.txt").read_text()
PYTHONS = ("3.11", "3.12", "3.13")


def asked_for() -> list[Requirement]:
    """All requirements of pyproject.toml's groups."""
    return [Requirement(line) for group in PROJECT["dependency-groups"].values() for line in group if isinstance(line, str)]


def locked(python: str) -> dict[str, str]:
    """The locked version by name, for one Python."""
    found: dict[str, str] = {}
    for requirement in [Requirement(line) for line in LOCK.splitlines() if not line.startswith("#")]:
        marker: Marker | None = requirement.marker
        if marker is None or marker.evaluate({"python_version": python}):
            assert requirement.name not in found
            found[requirement.name] = re.fullmatch("==([^=*]+)", str(requirement.specifier))[1]  # type: ignore[index]
    return found


def lock_script() -> ModuleType:
    """requirements/lock.py as a module."""
    spec = importlib.util.spec_from_file_location("lock", ROOT / "requirements" / "lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_holds_what_the_project_asks_for(python: str) -> None:
    versions, normal = locked(python), lock_script().normal
    for requirement in asked_for():
        assert requirement.specifier.contains(versions[normal(requirement.name)]), requirement


def test_the_lock_names_no_place() -> None:
    assert not re.search(r"://|^[-/.]|@ ", LOCK, re.M)
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


def test_the_html_reports_tree_is_locked_too() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    tree = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all(tree[f"node_modules/{name}"]["version"] == version for name, version in wanted.items())
    assert tree[""]["devDependencies"] == wanted


def test_a_package_that_one_python_needs_has_a_marker() -> None:
    versions = {"3.11": {"a": "1", "b": "1"}, "3.12": {"a": "1", "c": "2"}, "3.13": {"a": "1", "c": "2"}}
    assert lock_script().lines(versions) == [
        "a==1",
        'b==1 ; python_version == "3.11"',
        'c==2 ; python_version == "3.12" or python_version == "3.13"',
    ]


def test_each_supported_python_is_locked_and_tried() -> None:
    assert lock_script().SUPPORTED == PYTHONS
    assert PROJECT["project"]["requires-python"] == f">={PYTHONS[0]}"
    assert re.search(r"envlist = py\{(.*)\}", (ROOT / "tox.ini").read_text())[1] == "311,312,313"  # type: ignore[index]


@pytest.mark.parametrize("editable", [[], ["--editable"]], ids=["wheel", "editable"])
def test_building_ends_with_the_line_that_says_why_not(tmp_path: Path, editable: list[str]) -> None:
    how = ["install", "--target", str(tmp_path), *editable] if editable else ["wheel", "--wheel-dir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *how, str(ROOT)], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert (done.stdout + done.stderr).count("navigator-acceptance is used from a checkout and builds no package") == 1
    assert not list(tmp_path.iterdir())


def test_the_programs_run_from_the_checkout() -> None:
    done = subprocess.run([sys.executable, "-m", "twin", "faults"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith("F01 ")


def test_nodes_lock_names_every_package_of_every_platform() -> None:
    """`npm ci` refuses a lock without the optional packages of other platforms, and there is no HTML report then."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    wanted = {name for each in packages.values() for name in each.get("optionalDependencies", {})}
    locked = {path.rpartition("node_modules/")[2] for path in packages}
    assert not wanted - locked
