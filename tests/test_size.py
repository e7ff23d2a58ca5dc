"""Functions fit on a screen, and modules are read in one go."""

import ast
from pathlib import Path

from tests.modules import files, shown

LONGEST_FUNCTION = 40
LONGEST_MODULE = 260
SHOWN = 20


def too_long(found: list[tuple[int, str]], limit: int) -> str:
    """The worst of those beyond the limit, a line each, the longest first."""
    beyond = sorted(((length, name) for length, name in found if length > limit), reverse=True)
    return "\n".join(f"{length} lines: {name}" for length, name in beyond[:SHOWN])


def functions(path: Path) -> list[tuple[int, str]]:
    """Functions of a module with the number of their lines."""
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{shown(path)}:{node.lineno} {node.name}")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_no_function_is_longer_than_a_screen() -> None:
    found = [entry for path in files() for entry in functions(path)]
    assert len(found) > 1000
    assert not (worst := too_long(found, LONGEST_FUNCTION)), f"longer than {LONGEST_FUNCTION} lines:\n{worst}"


def test_no_module_is_long() -> None:
    found = [(len(path.read_text().splitlines()), shown(path)) for path in files()]
    assert not (worst := too_long(found, LONGEST_MODULE)), f"longer than {LONGEST_MODULE} lines:\n{worst}"
