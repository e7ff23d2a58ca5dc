"""What a service imports is followed without running it, and what its build filter does not see is found."""

import ast
from pathlib import Path

import pytest

from fixtures.build_filter import BuildFilter
from fixtures.imports import ImportGraph, imports_of
from fixtures.release_files import ReleaseFiles
from fixtures.requirements import read
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
    "code",
    [
        "def f():\n    import helpers",
        "if __name__ == '__main__':\n    import helpers",
        "try:\n    import helpers\nexcept Exception:\n    pass",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import helpers",
        "import lazy",
    ],
)
def test_what_is_imported_later_or_not_at_all_is_not_missed(tmp_path: Path, code: str) -> None:
    (tmp_path / "main.py").write_text(f"{code}\n")
    (tmp_path / "lazy.py").write_text("def f():\n    import tests.data\n")
    image = {"main.py": "main.py", "lazy.py": "lazy.py"}
    everything = ImportGraph(tmp_path, image | {"helpers.py": "helpers.py", "tests/data.py": "tests/data.py"})
    assert ImportGraph(tmp_path, image).missing(["main"], everything) == {}


@pytest.mark.parametrize("name", ["", ":8000", ".", "..", ".relative", "a..b", "0.0.0.0", "[", "http"])
def test_a_word_that_is_no_module_has_no_files(tmp_path: Path, name: str) -> None:
    assert ImportGraph(tmp_path, {"main.py": "main.py"}).files_of(name) == []


@pytest.mark.parametrize(
    "content", [b"x = " + b"+".join([b"1"] * 3000), b"x = " + b"(" * 900 + b")" * 900, b"\xff\xfe", b"a = \x00", b"def :"]
)
def test_no_content_of_a_file_stops_the_search(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "main.py").write_bytes(content)
    assert ImportGraph(tmp_path, {"main.py": "main.py"}).reached(["main"]) == {"main.py": ""}


@pytest.mark.parametrize(
    ("dockerfile", "requirements", "missing"),
    [
        ("COPY main.py .", "httpx==1", ["shared.py (imported by main.py)"]),
        ("COPY main.py .\nCOPY shared.py /opt/shared/\nENV PYTHONPATH=/opt/shared", "httpx==1", []),
        ("COPY main.py .\nRUN pip install --no-cache-dir ./shared", "httpx==1", []),
        ("COPY main.py .", "-e .\nhttpx==1", []),
        ("COPY main.py .\nRUN pip install -r ./requirements.txt --prefix /x", "httpx==1", ["shared.py (imported by main.py)"]),
    ],
)
def test_what_an_image_may_have_elsewhere_is_not_missed(
    tmp_path: Path, dockerfile: str, requirements: str, missing: list[str]
) -> None:
    service = load(DEFAULT).services["api"]
    (tmp_path / "main.py").write_text("import shared\n")
    (tmp_path / "shared.py").touch()
    (tmp_path / service.requirements).write_text(requirements)
    text = f"FROM python:3.11\nWORKDIR /app\n{dockerfile}\nCMD gunicorn main:app --bind :8000\n"
    (tmp_path / service.dockerfile_path).write_text(text)
    assert ReleaseFiles(SourceTree(tmp_path), service).not_copied == missing


def test_what_requirements_include_from_a_folder_above_has_its_plain_path(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "all.txt").write_text("-r ../base.txt\n-r https://example.com/more.txt\n")
    (tmp_path / "base.txt").write_text("httpx==1\n")
    assert read(tmp_path, "deep/all.txt").files == ["deep/all.txt", "base.txt"]


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
