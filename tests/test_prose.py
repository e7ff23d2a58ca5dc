"""No code reads prose: nothing decides by what a message, a reason or an observed text says."""

from __future__ import annotations

import ast

import pytest

from tests.modules import files, shown

PACKAGES = ("acceptance", "fixtures", "gate", "load", "reports")
# Attributes and keys that hold text for people, or what it is made of.
TEXTS = frozenset({"observed", "expected", "message", "reason", "evidence", "detail", "because", "hint", "what"})
# Methods that look into a text; `match` and the like are those of a compiled pattern too.
LOOKS = frozenset({
    "startswith", "endswith", "find", "rfind", "index", "rindex", "count", "partition", "rpartition", "split", "rsplit",
    "match", "search", "fullmatch", "findall", "finditer", "sub", "removeprefix", "removesuffix",
})  # fmt: skip


def is_text(node: ast.expr) -> bool:
    """Whether an expression is such a text: `x.reason`, `x["observed"]`, `str(error)`, or one of these in a call of its own."""
    if isinstance(node, ast.Attribute):
        return node.attr in TEXTS
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value in TEXTS and not isinstance(node.ctx, ast.Store)
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name) and node.func.id in ("str", "repr") and node.args:
        argument = node.args[0]
        return is_text(argument) or (isinstance(argument, ast.Name) and argument.id in ("error", "failure", "exception"))
    # x.reason.lower(), x.get("reason")
    if isinstance(node.func, ast.Attribute):
        of_get = node.func.attr == "get" and bool(node.args) and isinstance(node.args[0], ast.Constant)
        return node.args[0].value in TEXTS if of_get else is_text(node.func.value)  # type: ignore[attr-defined]
    return False


def reads(tree: ast.AST) -> list[int]:
    """Lines that look into such a text, by a method, by `re`, or by comparing a part of it."""
    found: set[int] = set()
    for node in ast.walk(tree):
        looked: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOOKS:
            looked = [node.func.value, *node.args]
        elif isinstance(node, ast.Compare) and any(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops):
            # The facts of a Failure are a mapping: which of them there are is no prose.
            looked = [part for part in node.comparators if getattr(part, "attr", "") != "observed"]
        found |= {part.lineno for part in looked if is_text(part)}
    return sorted(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_reads_a_text(package: str) -> None:
    found = [f"{shown(path)}:{line}" for path in files(package) for line in reads(ast.parse(path.read_text()))]
    assert not found, "these lines decide by a text; a failure carries typed facts"


READERS = """
if "password" in error.reason: a()
if fact.evidence.lower().startswith("404"): b()
if re.search("x", check.observed): c()
if PATTERN.match(finding["expected"]): d()
if "refused" in str(error): e()
if failure["observed"].get("detail", "").endswith("x"): f()
if "no answer" not in found.get("reason"): g()
"""
OTHERS = """
if name in fact.codes: a()
if fact.observed.get("status") == 404: b()
if error.reason: c()
print(check.reason)
if "status" in error.observed: d()
if finding["expected"] is None: d()
if path.startswith("/api"): e()
"""


def test_a_reader_is_seen() -> None:
    assert reads(ast.parse(READERS)) == [2, 3, 4, 5, 6, 7, 8]
    assert reads(ast.parse(OTHERS)) == []
