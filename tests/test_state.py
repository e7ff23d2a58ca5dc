"""No module of the engine or of the system's parts holds state: two sessions in one process share nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modules import files, shown

# What may be made while a module is loaded: values that cannot change.
CONSTANTS = frozenset({"frozenset", "re.compile", "TypeVar", "pytest.StashKey", "Path", "MappingProxyType"})
ADDING = ("add", "append", "appendleft", "extend", "insert", "setdefault", "update")
REMOVING = ("clear", "discard", "pop", "popitem", "popleft", "remove", "subtract")
CHANGING = frozenset({*ADDING, *REMOVING, "reverse", "sort"})
CONTAINERS = ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
# What looks like state and is none of a session's.
ALLOWED = {
    ("gate/bounded.py", "_scope"): "the call under way on a thread; nothing outside of one",
    ("fixtures/documents.py", "_drawing"): "a function of its argument alone",
}


def assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Names and values that a module or class assigns while it is loaded."""
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield ast.unparse(target), node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield ast.unparse(node.target), node.value


def is_object(value: ast.expr) -> bool:
    """Whether a value is an object made by a call that is not known to make a constant."""
    if not isinstance(value, ast.Call):
        return False
    called = ast.unparse(value.func).partition("[")[0]
    return called not in CONSTANTS and not (called.endswith("resolve") and "Path(" in called)


def changed_in(tree: ast.Module) -> set[str]:
    """Names whose value is changed somewhere: by a method, by a key, by an attribute, or from within a function."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            found |= set(node.names)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            found.add(ast.unparse(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
            found.add(ast.unparse(node.func.value))
        elif isinstance(node, ast.AugAssign):
            found.add(ast.unparse(node.target))
    return found


def state_in(text: str) -> list[str]:
    """Names of a module that hold state."""
    tree = ast.parse(text)
    changed = changed_in(tree)
    found = [name for name, value in assigned(tree.body) if is_object(value)]
    found += [name for name, value in assigned(tree.body) if isinstance(value, CONTAINERS) and name in changed]
    found += [name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(_is_cache(decorator) for decorator in node.decorator_list):
            found.append(node.name)
        if isinstance(node, ast.ClassDef):
            # An instance's own value takes the place of what its class holds; a container would be everybody's.
            found += [f"{node.name}.{name}" for name, value in assigned(node.body) if isinstance(value, CONTAINERS)]
    return found


def _is_cache(decorator: ast.expr) -> bool:
    return ast.unparse(decorator).partition("(")[0].removeprefix("functools.") in ("cache", "lru_cache")


@pytest.mark.parametrize("path", files("gate", "fixtures"), ids=shown)
def test_no_module_holds_state(path: Path) -> None:
    found = [name for name in state_in(path.read_text()) if (shown(path), name) not in ALLOWED]
    assert not found, f"{shown(path)} holds state: {', '.join(found)}"


@pytest.mark.parametrize("path", files("gate", "fixtures"), ids=shown)
def test_nothing_happens_at_import(path: Path) -> None:
    tree = ast.parse(path.read_text())
    main = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)]
    done = [
        node
        for node in tree.body
        if isinstance(node, ast.For | ast.While | ast.With | ast.Try | ast.Delete | ast.AugAssign)
        or (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.If) and node not in main and "TYPE_CHECKING" not in ast.unparse(node.test))
    ]
    assert not done, f"{shown(path)}:{done[0].lineno} does something when it is imported"


@pytest.mark.parametrize(
    "text",
    [
        "KNOWN = {}\ndef learn(a):\n    KNOWN[a] = 1",
        "seen = []\ndef note(a):\n    seen.append(a)",
        "counts = Counter()",
        "budget = Budget(None)",
        "_last = None\ndef keep(a):\n    global _last\n    _last = a",
        "@cache\ndef client():\n    return Client()",
        "class Evidence:\n    steps: list[str] = []",
    ],
)
def test_state_would_be_noticed(text: str) -> None:
    assert state_in(text)


@pytest.mark.parametrize(
    "text", ["UNITS = {'s': 1}", "NAMES = frozenset({'a'})", "AGE = re.compile('x')", "A: list[str] = ['a']"]
)
def test_a_constant_is_no_state(text: str) -> None:
    assert not state_in(text)
