"""What the specification holds is read: no field of its model, no error, no vendor's request stands there for nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

import spec.model
from spec import DEFAULT, load
from tests.conftest import ROOT

READERS = ("acceptance", "fixtures", "gate", "load", "proof", "reports", "spec")
SPECIFICATIONS = (DEFAULT, ROOT / "spec" / "clinic" / "specification.toml")
MODELS = sorted(
    (m for m in vars(spec.model).values() if isinstance(m, type) and issubclass(m, BaseModel)), key=lambda model: model.__name__
)
# Read by this project's own tests, which hold the files against their documents.
READ_BY_TESTS = {"Meta.specification", "Meta.contract", "Specification.coverage", "Specification.not_checkable"}


def modules() -> Iterator[Path]:
    """All modules that may read a specification."""
    for folder in READERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def names_in(tree: ast.AST) -> Iterator[str]:
    """Attributes that are read, and texts that may name one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.fixture(scope="module")
def read() -> frozenset[str]:
    """Every name that some module reads, and what the files themselves have read by name."""
    found: set[str] = set()
    for path in modules():
        found.update(names_in(ast.parse(path.read_text())))
    for path in SPECIFICATIONS:
        specification = load(path)
        # Fields that checks read by names in the file.
        found.update(specification.platform.details if specification.has("platform") else ())
        found.update(specification.endpoint("limits").fields if specification.has_endpoint("limits") else ())
    return frozenset(found)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_read(read: frozenset[str], model: type[BaseModel]) -> None:
    own = {name.removesuffix("_section") for name in model.model_fields}
    unread = {f"{model.__name__}.{name}" for name in own if name not in read} - READ_BY_TESTS
    assert not unread


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.parent.name)
def test_every_error_is_asked_for(read: frozenset[str], path: Path) -> None:
    specification = load(path)
    named = {case.answer for case in specification.cases} | read
    errors = {f"{e.name}.{name}" for e in specification.endpoints for name in e.errors if name not in named}
    errors |= {
        f"{vendor}.{name}"
        for vendor, v in specification.vendors.items()
        for c in v.calls.values()
        for name in c.errors
        if name not in named
    }
    assert not errors


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.parent.name)
def test_every_request_of_a_vendor_is_sent(read: frozenset[str], path: Path) -> None:
    vendors = load(path).vendors
    assert not {f"{name}.{call}" for name, vendor in vendors.items() for call in vendor.calls if call not in read}


@pytest.mark.parametrize("path", SPECIFICATIONS, ids=lambda path: path.parent.name)
def test_every_target_is_held(read: frozenset[str], path: Path) -> None:
    specification = load(path)
    held = {endpoint.held_to for endpoint in specification.endpoints if endpoint.is_timed}
    held |= {task.target for task in specification.load.tasks.values()} if specification.has("load") else set()
    assert not set(specification.targets) - held - read
