"""Everything in a specification is read: each field of its model, each error, each request to a vendor, each target."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

import spec.model
from spec import DEFAULT, Specification, load
from spec.external_entries import refused_calls
from spec.references import REFERENCE
from tests.conftest import ROOT

READERS = ("acceptance", "fixtures", "gate", "load", "proof", "reports", "spec")
SPECIFICATIONS = (DEFAULT, ROOT / "spec" / "clinic" / "specification.toml")
MODELS = {name: m for name, m in vars(spec.model).items() if isinstance(m, type) and issubclass(m, BaseModel)}
# Read by tests/test_specification.py, which holds the file against its documents.
READ_BY_TESTS = {"Meta.specification", "Meta.contract", "Specification.not_checkable"}


def is_tag(field: ast.AnnAssign) -> bool:
    """Whether a field has one value only, by which pydantic tells one kind of entry from another."""
    given = field.annotation
    is_literal = isinstance(given, ast.Subscript) and ast.unparse(given.value) == "Literal"
    return is_literal and isinstance(given, ast.Subscript) and isinstance(given.slice, ast.Constant) and field.value is None


def fields_of(tree: ast.Module) -> Iterator[tuple[str, ast.AnnAssign]]:
    """Fields of a module's models that hold plain values, each with its model; those that hold other models lead to them."""
    for model in tree.body:
        if isinstance(model, ast.ClassDef) and model.name in MODELS:
            for field in model.body:
                if isinstance(field, ast.AnnAssign) and not is_tag(field):
                    names = {node.id for node in ast.walk(field.annotation) if isinstance(node, ast.Name)}
                    if not names & MODELS.keys():
                        yield model.name, field


def take_out_fields(module: Path) -> set[tuple[str, str]]:
    """Remove the fields of a module's models, so that whoever reads one is an error for mypy; returns them."""
    lines, taken = module.read_text().splitlines(), set()
    for model, field in fields_of(ast.parse(module.read_text())):
        assert isinstance(field.target, ast.Name)
        taken.add((model, field.target.id))
        for number in range(field.lineno - 1, field.end_lineno or field.lineno):
            lines[number] = "    pass" if lines[number].startswith("    ") else ""
    module.write_text("\n".join(lines) + "\n")
    return taken


def read_by_name(specification: Specification) -> set[str]:
    """Fields of a service and of the limits that checks read by names in the file."""
    found = set(specification.platform.details) if specification.has("platform") else set()
    return found | (set(specification.endpoint("limits").fields) if specification.has_endpoint("limits") else set())


def test_every_field_is_read(tmp_path: Path) -> None:
    for folder in READERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "out", "history"))
    shutil.copytree(ROOT / "twin", tmp_path / "twin", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    fields = set().union(*map(take_out_fields, sorted((tmp_path / "spec" / "model").glob("*.py"))))
    # What `make lint` has learned about the libraries; our own modules lie elsewhere and are checked anew.
    if (ROOT / ".mypy_cache").exists():
        shutil.copytree(ROOT / ".mypy_cache", tmp_path / ".mypy_cache")
    command = [sys.executable, "-m", "mypy", *READERS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    read = set(re.findall(r'"(\w+)" has no attribute "(\w+)"', done.stdout))
    assert read, done.stdout[-2000:]
    by_name = set().union(*(read_by_name(load(path)) for path in SPECIFICATIONS))
    files = (file for path in SPECIFICATIONS for file in path.parent.glob("*.toml"))
    by_name |= {found.rpartition(".")[2] for file in files for found in REFERENCE.findall(file.read_text())}
    unread = {
        f"{model}.{field}"
        for model, field in fields
        if field not in by_name and not any((heir, field) in read for heir in MODELS if issubclass(MODELS[heir], MODELS[model]))
    }
    assert unread <= READ_BY_TESTS


@pytest.fixture(scope="module")
def named() -> frozenset[str]:
    """Every text in a module that may read a specification: names of errors, of requests and of targets are among them."""
    modules = (path for folder in READERS for path in (ROOT / folder).rglob("*.py"))
    trees = (ast.parse(path.read_text()) for path in modules)
    found = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return frozenset(text for text in found if isinstance(text, str))


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.parent.name)
def test_every_error_is_expected_by_a_check(named: frozenset[str], path: Path) -> None:
    specification = load(path)
    expected = {case.answer for case in specification.cases} | named
    calls = [*specification.endpoints, *(call for vendor in specification.vendors.values() for call in vendor.calls.values())]
    assert not {f"{call.method} {call.path}: {name}" for call in calls for name in call.errors if name not in expected}


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.parent.name)
def test_every_request_to_a_vendor_is_sent(named: frozenset[str], path: Path) -> None:
    specification = load(path)
    refused = {call for _, call, _ in refused_calls(specification)} if specification.has("external_apis") else set()
    settings = specification.project.settings if specification.has("project") else []
    vendors, sent = specification.vendors, named | refused | {setting.call for setting in settings}
    assert not {f"{name}.{call}" for name, vendor in vendors.items() for call in vendor.calls if call not in sent}


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.parent.name)
def test_every_target_is_held(named: frozenset[str], path: Path) -> None:
    specification = load(path)
    held = {endpoint.held_to for endpoint in specification.endpoints}
    held |= {task.target for task in specification.load.tasks.values()} if specification.has("load") else set()
    assert not set(specification.targets) - held - named
