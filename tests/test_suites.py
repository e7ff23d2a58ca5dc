"""The suites as a whole: enough checks, all of them documented, none that waits without a condition."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from gate.exit_codes import ExitCode
from gate.folders import ALL
from gate.folders import SUITES as FOLDERS
from gate.places import ACCEPTANCE
from spec import load
from tests.conftest import gate_in
from tests.listing import SUITES
from tests.modules import files

# Close below what there is, so that a file of the specification that is not loaded is noticed: the smallest of them
# (retrieval.toml) makes 16 checks.
LEAST = {"predeploy": 285, "postdeploy": 785, "performance": 72, "contract": 24, "resilience": 130, "maintenance": 1000}
MODULES = sorted(ACCEPTANCE.rglob("test_*.py"))


def asserts(function: ast.stmt) -> bool:
    """Whether a function of the fixtures expects something, or hands on an expectation about a reply."""
    text = ast.unparse(function)
    return isinstance(function, ast.FunctionDef) and any(
        sign in text for sign in (" expect(", "raise Failure(", "-> ReplyExpectation:", ".fail(")
    )


HELPERS = {
    function.name
    for path in files("fixtures")
    for function in ast.parse(path.read_text()).body
    if isinstance(function, ast.FunctionDef) and asserts(function)
}


def functions(path: Path) -> list[ast.FunctionDef]:
    """The checks of a module."""
    tree = ast.parse(path.read_text())
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_check_names_its_section_and_asserts(path: Path) -> None:
    for function in functions(path):
        text = ast.get_docstring(function) or ""
        assert text.startswith(("§", "contract")), f"{function.name} does not say where its promise stands"
        called = {n.func.id for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        methods = {n.func.attr for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}
        asserting = [name for name in (*called, *methods) if name.startswith(("expect", "hold", "require"))]
        assert asserting or called & HELPERS, f"{function.name} asserts nothing"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_check_sleeps_or_knows_an_address(path: Path) -> None:
    text = path.read_text()
    assert "sleep(" not in text.replace("pg_sleep(", "")
    assert "http://" not in text
    assert "https://" not in text


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    """Checklist item, suites and folder of every check of the Navigator."""
    done = gate_in(tmp_path_factory.mktemp("collected"))("--collect-only", "-p", "tests.listing")
    assert done.returncode == ExitCode.PASS, done.stdout
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("checklist ")]
    return [(line[1], line[2], Path(line[3]).parts[1]) for line in lines]


@pytest.mark.parametrize(("suite", "least"), LEAST.items())
def test_the_suite_is_large_enough(collected: list[tuple[str, str, str]], suite: str, least: int) -> None:
    assert sum(suite in suites.split(",") for _, suites, _ in collected) >= least


def test_a_folder_that_a_run_may_pass_over_holds_checks_of_its_suites_alone(collected: list[tuple[str, str, str]]) -> None:
    others = {(folder, suites) for _, suites, folder in collected if not set(suites.split(",")) <= FOLDERS.get(folder, ALL)}
    assert not others


def test_every_suite_has_a_least_size() -> None:
    assert set(LEAST) == set(SUITES)


def test_every_checklist_item_has_ten_checks(collected: list[tuple[str, str, str]]) -> None:
    counts = Counter(item for item, _, _ in collected)
    of_checklists = [item.id for item in load().checklist if item.id.startswith(("6.", "8."))]
    short = {id: counts[id] for id in of_checklists if counts[id] < 10}
    assert not short
