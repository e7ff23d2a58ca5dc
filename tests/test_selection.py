"""Which checks exist for a specification: an unknown name on one is an error, a missing setting leaves it not judged."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gate.failures import NotConfigured
from gate.prerequisites import Prerequisites
from gate.selection import each, parametrize, promised, select
from gate.settings import Settings
from gate.shared import SharedFolder
from spec import Specification, load
from tests.conftest import ROOT

SPEC = load()
CLINIC = load(ROOT / "spec" / "clinic" / "specification.toml")
# Fixtures that are made of the source tree.
REACHING_THE_SOURCE = ("packages", "own", "image", "updates", "migration_linter")
GOOD = (pytest.mark.checklist("8.2.1"), pytest.mark.component("api"), pytest.mark.needs("api"))


class Item:
    """A check as pytest collects it, with these marks and this docstring."""

    def __init__(self, *marks: pytest.MarkDecorator, doc: str = "§4: health (F19).") -> None:
        self.marks = [mark.mark for mark in marks]
        self.path = Path("acceptance/postdeploy/test_x.py")
        self.name = "test_x"
        self.nodeid = f"acceptance/postdeploy/test_x.py::{self.name}"
        self.function = SimpleNamespace(__doc__=doc)

    def iter_markers(self, name: str) -> list[pytest.Mark]:
        return [mark for mark in self.marks if mark.name == name]

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return next(iter(self.iter_markers(name)), None)


def selected(item: Item, spec: Specification = SPEC) -> bool:
    """Whether a check is kept; raises UsageError for an unknown name on it."""
    items = [cast(pytest.Item, item)]
    hook = SimpleNamespace(pytest_deselected=lambda items: None)
    select(cast(pytest.Config, SimpleNamespace(hook=hook)), items, spec)
    return bool(items)


@pytest.mark.parametrize(
    ("marks", "named"),
    [
        ((pytest.mark.checklist("8.2.99"),), r"checklist\('8.2.99'\)"),
        ((*GOOD, pytest.mark.component("apii")), r"component\('apii'\)"),
        ((*GOOD, pytest.mark.needs("databse")), r"needs\('databse'\)"),
        ((*GOOD, promised("pipelin")), r"promised\('pipelin'\)"),
        ((*GOOD, promised("endpoints.helth")), r"promised\('endpoints.helth'\)"),
        ((*GOOD, pytest.mark.about("env.valeu")), "code 'env.valeu' is not declared"),
        ((*GOOD, pytest.mark.about("env.value", "varable X")), "subject 'varable X' begins with no kind"),
        ((*GOOD, pytest.mark.about("env.value", "variable {name}")), "names no parameter of the check"),
        ((pytest.mark.component("api"),), "no checklist item"),
    ],
    ids=["checklist", "component", "needs", "section", "endpoint", "code", "subject", "parameter", "none"],
)
@pytest.mark.parametrize("spec", [SPEC, CLINIC], ids=["navigator", "clinic"])
def test_an_unknown_name_is_an_error(marks: tuple[pytest.MarkDecorator, ...], named: str, spec: Specification) -> None:
    with pytest.raises(pytest.UsageError, match=named):
        selected(Item(*marks, doc="§4: health."), spec)


@pytest.mark.parametrize("modes", ["F99", "F1", "F019", "F01–F99", "F04, F40"])
def test_an_unknown_failure_mode_is_an_error(modes: str) -> None:
    with pytest.raises(pytest.UsageError, match="no failure mode"):
        selected(Item(*GOOD, doc=f"§4: health ({modes})."))


def test_a_good_check_is_kept_where_it_is_promised() -> None:
    assert selected(Item(*GOOD, promised("pipeline", "endpoints.login")))
    assert not selected(Item(*GOOD, promised("pipeline")), CLINIC)
    assert not selected(Item(*GOOD, promised("endpoints.login")), CLINIC)


def test_an_entry_that_is_missing_makes_no_check() -> None:
    made: list[list[object]] = []
    item = Item(*GOOD, each("name", lambda spec: []))

    def note(names: str, entries: list[object], ids: object = None) -> None:
        made.append(entries)

    parametrize(cast(pytest.Metafunc, SimpleNamespace(definition=item, parametrize=note)), SPEC)
    ((entry,),) = made
    assert [mark.name for mark in entry.marks] == ["absent"]  # type: ignore[attr-defined]


def prerequisites(folder: Path, **values: str) -> Prerequisites:
    """Prerequisites of a target with these settings."""
    return Prerequisites(SharedFolder(folder), SPEC.harness.prerequisites, Settings(SPEC.harness.settings, values))


def test_checks_of_the_source_are_not_judged_without_it(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="HARNESS_SOURCE_TREE"):
        prerequisites(tmp_path).require("source")
    prerequisites(tmp_path, HARNESS_SOURCE_TREE=str(tmp_path)).require("source")


def needing(path: Path, name: str) -> set[str]:
    """Checks of a module that need a prerequisite, by their own marks or by the module's."""
    tree = ast.parse(path.read_text())
    wanted = f'needs("{name}")'.replace('"', "'")

    def marked(nodes: list[ast.expr]) -> bool:
        return any(wanted in ast.unparse(node) for node in nodes)

    whole = marked([node.value for node in tree.body if isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node)])
    return {check.name for check in checks_of(tree) if whole or marked(check.decorator_list)}


def checks_of(tree: ast.Module) -> list[ast.FunctionDef]:
    """The checks of a module."""
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def taking(path: Path, fixture: str) -> set[str]:
    """Checks of a module that take a fixture."""
    return {c.name for c in checks_of(ast.parse(path.read_text())) if fixture in {argument.arg for argument in c.args.args}}


@pytest.mark.parametrize("path", sorted((ROOT / "acceptance").rglob("test_*.py")), ids=lambda path: path.stem)
def test_the_source_is_needed_by_those_that_take_it(path: Path) -> None:
    reached = set().union(*(taking(path, fixture) for fixture in REACHING_THE_SOURCE))
    assert taking(path, "source") <= needing(path, "source") <= taking(path, "source") | reached
