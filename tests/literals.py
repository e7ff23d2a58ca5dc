"""Codes and subjects that stand in the project's sources, as a parser sees them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

# Who takes a code first, and a subject second.
TAKE_A_CODE = frozenset({"Failure", "Fact", "Finding", "Break", "about", "fail", "named_by"})
TAKE_A_SUBJECT = frozenset({"Failure", "Fact", "about"})


def called(node: ast.Call) -> str:
    """The last name of what is called."""
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression can be; of one with values in it, what stands before the first."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        yield str(node.values[0].value)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from texts(value)


def arguments(tree: ast.AST, keyword: str, place: int, takers: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Texts of an argument with their lines: by keyword in any call, by place in calls of the takers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found = [given.value for given in node.keywords if given.arg == keyword]
            found += node.args[place : place + 1] if called(node) in takers else []
            yield from ((value.lineno, text) for value in found for text in texts(value) if text)


def codes(tree: ast.AST) -> list[tuple[int, str]]:
    """Codes that are given to what takes one, with their lines."""
    return list(arguments(tree, "code", 0, TAKE_A_CODE))


def subjects(tree: ast.AST) -> list[tuple[int, str]]:
    """Subjects, or how they begin, with their lines."""
    return list(arguments(tree, "subject", 1, TAKE_A_SUBJECT))


def produced(tree: ast.AST) -> set[str]:
    """Every text that a module may produce: not what it only compares something with."""
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare | ast.Set)]
    only_read = {id(part) for node in compared for part in ast.walk(node)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in only_read
    }
