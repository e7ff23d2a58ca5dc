"""What a service imports is followed without running it, and what its build filter does not see is found."""

import ast
from pathlib import Path

import pytest

from fixtures.build_filter import BuildFilter
from fixtures.imports import ImportGraph, imports_of
from fixtures.release_files import ReleaseFiles
from fixtures.source import SourceTree
from spec import DEFAULT, load

SOURCE = Path(__file__).parents[1] / "twin" / "source"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import a.b", {"a.b"}),
        ("from a import b", {"a", "a.b"}),
        ("from . import b", {"pack.b"}),
        ("from ..up import b", {"up", "up.b"}),
        ("def f():\n    import late", {"late"}),
        ("import importlib\nimportlib.import_module('named')", {"importlib", "named"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import only", {"typing", "typing.TYPE_CHECKING"}),
    ],
)
def test_every_form_of_an_import_is_seen(code: str, found: set[str]) -> None:
    assert {each.name for each in imports_of(ast.parse(code), ["pack"])} == found


@pytest.mark.parametrize(
    ("handler", "is_guarded"), [("ImportError", True), ("(OSError, ModuleNotFoundError)", True), ("KeyError", False)]
)
def test_an_import_whose_absence_is_provided_for_is_known(handler: str, is_guarded: bool) -> None:
    tree = ast.parse(f"try:\n    import a\nexcept {handler}:\n    import b\n")
    assert {each.name: each.is_guarded for each in imports_of(tree)} == {"a": is_guarded, "b": False}


def test_a_module_that_the_image_lacks_is_named_with_its_importer(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import helpers.text\n")
    (tmp_path / "helpers").mkdir()
    for name in ("__init__.py", "text.py"):
        (tmp_path / "helpers" / name).touch()
    everything = ImportGraph(tmp_path, {path: path for path in ("main.py", "helpers/__init__.py", "helpers/text.py")})
    assert ImportGraph(tmp_path, {"main.py": "main.py"}).missing(["main"], everything) == {"helpers/text.py": "main.py"}


@pytest.mark.parametrize(
    ("included", "ignored", "path", "builds"),
    [
        (["api/**"], [], "api/a/b.py", True),
        (["api/**"], ["**/*.md"], "api/a/README.md", False),
        (["api/*"], [], "api/a/b.py", False),
        ([], ["docs/**"], "anything.py", True),
        ([], ["docs/**"], "docs/a.md", False),
        (["requirements*.txt"], [], "requirements-prod.txt", True),
        (["api/[ab].py"], [], "api/c.py", False),
    ],
)
def test_a_build_filter_is_read_as_the_host_reads_it(included: list[str], ignored: list[str], path: str, builds: bool) -> None:
    assert BuildFilter(included, ignored).takes(path) is builds


@pytest.mark.parametrize("name", ["api", "worker"])
def test_the_twins_own_release_is_followed_from_its_entry_points(name: str) -> None:
    files = ReleaseFiles(SourceTree(SOURCE), load(DEFAULT).services[name])
    assert "backend/shared/database.py" in files.imported
    assert files.not_copied == []
    assert ("backend/workers/job_queue.py" in files.imported) is (name == "worker")
