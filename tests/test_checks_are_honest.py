"""Checks assert what they promise: none ends early, none takes an answer that it did not get for a good one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

MODULES = sorted((ROOT / "acceptance").rglob("*.py"))
FIXTURES = sorted((ROOT / "fixtures").rglob("*.py"))
# Statuses are the specification's.
STATUSES = range(100, 600)
LEAVES = frozenset({"not_applicable", "Blocked", "NotConfigured"})


def checks(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """The checks of a module."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """What a function is made of, without the functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            yield node
            waiting += ast.iter_child_nodes(node)


def calls_in(*nodes: ast.AST) -> set[str]:
    """Names of the functions and methods that are called."""
    called = (node.func for part in nodes for node in ast.walk(part) if isinstance(node, ast.Call))
    return {function.id if isinstance(function, ast.Name) else getattr(function, "attr", "") for function in called}


def reads_status(node: ast.AST) -> bool:
    """Whether an expression asks how a request was answered."""
    return any(isinstance(part, ast.Attribute) and part.attr in ("status", "succeeded", "is_error") for part in ast.walk(node))


def early_ends(function: ast.FunctionDef) -> list[str]:
    """Statements that end a check before it has asserted everything."""
    return [f"{function.name}:{node.lineno}" for node in own_nodes(function) if isinstance(node, ast.Return | ast.Pass)]


def excuses(function: ast.FunctionDef) -> list[str]:
    """Expressions that put something in the place of an answer that did not come."""
    return [
        f"{function.name}:{node.lineno}"
        for node in own_nodes(function)
        if isinstance(node, ast.IfExp) and reads_status(node.test)
    ]


def silent_branches(function: ast.FunctionDef) -> list[str]:
    """Branches with assertions whose other branch neither asserts nor says why the check is left out."""
    return [
        f"{function.name}:{node.lineno}"
        for node in own_nodes(function)
        if isinstance(node, ast.If)
        and not calls_in(*node.body) & LEAVES
        and "expect" in calls_in(*node.body)
        and reads_status(node.test)
        and "expect" not in calls_in(*node.orelse)
    ]


def literal_statuses(tree: ast.AST) -> list[int]:
    """Statuses that stand in code."""
    found = []
    for node in ast.walk(tree):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "status":
            parts = node.args
        elif isinstance(node, ast.Compare) and reads_status(node.left):
            parts = node.comparators
        values = (part.value for whole in parts for part in ast.walk(whole) if isinstance(part, ast.Constant))
        found += [value for value in values if isinstance(value, int) and value in STATUSES]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_check_ends_early_or_excuses_an_answer(path: Path) -> None:
    functions = list(checks(ast.parse(path.read_text())))
    assert not [place for function in functions for place in early_ends(function)]
    assert not [place for function in functions for place in excuses(function)]
    assert not [place for function in functions for place in silent_branches(function)]


@pytest.mark.parametrize("path", [*MODULES, *FIXTURES], ids=lambda path: path.stem)
def test_statuses_are_the_specifications(path: Path) -> None:
    assert not literal_statuses(ast.parse(path.read_text()))


DISHONEST = """
def test_a(api):
    reply = api.call("jobs")
    if reply.status != 200:
        return
    expect(reply.json() if reply.succeeded else [], "jobs").is_empty()
    if reply.succeeded:
        expect(reply.json(), "jobs").is_empty()
    expect(reply).status(200, 201)
"""


def test_a_dishonest_check_is_seen() -> None:
    tree = ast.parse(DISHONEST)
    (function,) = checks(tree)
    assert early_ends(function) == ["test_a:5"]
    assert excuses(function) == ["test_a:6"]
    assert silent_branches(function) == ["test_a:7"]
    assert sorted(literal_statuses(tree)) == [200, 200, 201]
