"""The project's own modules as syntax trees, for tests of how the code is built."""

import ast
from collections.abc import Iterator
from pathlib import Path

from gate.places import ROOT

PACKAGES = ("acceptance", "fixtures", "gate", "load", "proof", "reports", "spec", "twin")
# The twin's services are releases of another system.
SOURCES = ("twin/source", "twin/clinic/source")


def files(*packages: str) -> list[Path]:
    """Python files of these packages, or of all of them."""
    found = [path for package in packages or PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [path for path in found if not any((ROOT / source) in path.parents for source in SOURCES)]


def shown(path: Path) -> str:
    """A file as it is named in a message."""
    return path.relative_to(ROOT).as_posix()


def name_of(path: Path) -> str:
    """The dotted name of a module or package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, known: set[str]) -> set[str]:
    """Modules of the project that a module imports anywhere: also in a function, also for types only."""
    tree, package = ast.parse(path.read_text()), name_of(path)
    if path.name != "__init__.py":
        package = package.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= set(_from(node, package, known))
    return found & known - {name_of(path)}


def _from(node: ast.ImportFrom, package: str, known: set[str]) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        above = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*above, *([node.module] if node.module else [])])
    for alias in node.names:
        yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base
