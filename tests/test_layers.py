"""The layers hold, and the linter that says so would notice if they did not."""

import re
import shutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from gate.places import ROOT
from tests.conftest import without_settings
from tests.modules import PACKAGES, files, imports_of, name_of, shown

LINTER = Path(sys.executable).parent / "lint-imports"
# What the engine must not know.
SYSTEM = re.compile(r"supabase|openai|llamaparse|\brender\b|anthropic", re.I)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's modules and the linter's contracts in a folder of their own."""
    for path in files():
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def lint(folder: Path) -> "subprocess.CompletedProcess[str]":
    """The linter, called as `make lint` calls it."""
    command = [str(LINTER), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, env=without_settings(), capture_output=True, text=True, timeout=60)


def test_the_layers_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("spec/loader.py", "gate.session"),
        ("gate/budget.py", "fixtures.api"),
        ("gate/session.py", "acceptance.performance.conftest"),
        ("fixtures/api.py", "load.plan"),
        ("fixtures/api.py", "reports.verdict"),
        ("reports/verdict.py", "fixtures.api"),
        ("reports/verdict.py", "twin.plan"),
        ("acceptance/postdeploy/test_api_chat.py", "reports.verdict"),
        ("acceptance/postdeploy/test_api_chat.py", "twin.plan"),
        ("acceptance/postdeploy/test_api_chat.py", "proof.faults"),
        ("load/plan.py", "reports.verdict"),
        ("load/plan.py", "twin.plan"),
        ("gate/session.py", "twin.plan"),
        ("twin/plan.py", "gate.places"),
        ("twin/plan.py", "spec.model"),
    ],
)
def test_a_broken_layer_is_noticed(copy: Path, module: str, imported: str) -> None:
    path = copy / module
    # In a function, where no start of any process would show it.
    path.write_text(f"{path.read_text()}\n\ndef _hidden() -> None:\n    import {imported}\n")
    done = lint(copy)
    assert done.returncode != 0, done.stdout
    assert "BROKEN" in done.stdout


def test_no_module_imports_itself_by_way_of_others() -> None:
    known = {name_of(path) for path in files()}
    graph = {name_of(path): imports_of(path, known) for path in files()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" imports ".join(reversed(error.args[1]))) from None


def test_the_engine_knows_no_system() -> None:
    found = [
        f"{shown(path)}:{number}: {line.strip()}"
        for path in files("gate")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if SYSTEM.search(line)
    ]
    assert not found, "\n".join(found)


def test_every_package_is_under_contract() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    listed = re.search(r"root_packages = \[(.*)\]", text)
    assert listed
    assert set(re.findall(r'"(\w+)"', listed[1])) == set(PACKAGES)
