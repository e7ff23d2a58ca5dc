"""The recipes of CONTRIBUTING.md, each carried out as it stands there, on a temporary copy of the project."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from proof.gate_run import read_verdict
from tests.conftest import ROOT, without_settings
from tests.copies import Copy

pytestmark = pytest.mark.twin
SNIPPET = re.compile(r"```\w+\n# (?P<file>\S+)\n(?P<text>.*?)```", re.S)
SECTIONS = (section.partition("\n") for section in (ROOT / "CONTRIBUTING.md").read_text().split("\n## ")[1:])
RECIPES = {title: found.group("file", "text") for title, _, body in SECTIONS if (found := SNIPPET.search(body))}
READY = '@router.get("/ready")\nasync def ready() -> dict[str, bool]:\n    """Ready."""\n    return {"ready": True}\n\n\n'


class RecipeCopy(Copy):
    """A copy of the project that recipes are carried out on."""

    def carry_out(self, *recipes: str) -> None:
        """Add what a recipe adds to the file that it names."""
        for recipe in recipes:
            file, text = RECIPES[recipe]
            with (self.folder / file).open("a") as stream:
                stream.write(text)


@pytest.fixture
def copy(tmp_path: Path) -> RecipeCopy:
    """The project in a folder of its own."""
    return RecipeCopy(tmp_path / "project")


def test_every_recipe_is_tried() -> None:
    assert set(RECIPES) == {
        "A check",
        "An endpoint",
        "A variable",
        "A fault",
        "A variant",
        "A diagnosis rule",
        "A code",
        "A vendor",
    }


def test_a_check(copy: RecipeCopy) -> None:
    copy.carry_out("A check")
    done = copy.gate("acceptance/security/test_data.py", "-k", "no_place_for_secrets")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def with_an_endpoint(copy: RecipeCopy) -> None:
    copy.replace("twin/source/api/health.py", '@router.get("/api/v1/status")', f'{READY}@router.get("/api/v1/status")')


@pytest.mark.parametrize(("prepare", "code"), [(with_an_endpoint, 0), (lambda _: None, 1)], ids=["offered", "missing"])
def test_an_endpoint(copy: RecipeCopy, prepare: Callable[[Copy], None], code: int) -> None:
    copy.carry_out("An endpoint")
    prepare(copy)
    done = copy.gate("-m", "postdeploy", "-k", "[ready]")
    assert done.returncode == code, done.stdout
    assert re.search(r"[2-9] (passed|failed)", done.stdout) or code


def with_a_variable(copy: RecipeCopy) -> None:
    copy.replace("twin/environments.py", '"WORKERS": "1",', '"WORKERS": "1", "FEATURE_CLAIMS": "off",')


@pytest.mark.parametrize(("prepare", "code"), [(with_a_variable, 0), (lambda _: None, 1)], ids=["set", "missing"])
def test_a_variable(copy: RecipeCopy, prepare: Callable[[Copy], None], code: int) -> None:
    copy.carry_out("A variable")
    prepare(copy)
    done = copy.gate("acceptance/predeploy/test_environment_variables.py", "-k", "FEATURE_CLAIMS")
    assert done.returncode == code, done.stdout


def test_a_fault_and_its_rule(copy: RecipeCopy) -> None:
    copy.carry_out("A fault", "A diagnosis rule")
    done = copy.gate("acceptance/postdeploy/test_health_checks.py", "-k", "request_ids", "--fault", "G99")
    assert done.returncode == 1, done.stdout
    assert read_verdict(copy.folder / "out").findings[0].title == "requests cannot be told apart by their ids"


def test_a_code(copy: RecipeCopy) -> None:
    raised = "from gate.failures import Failure; print(Failure('limit.silent', 'limit chat').code)"
    for code in (1, 0):
        command = [sys.executable, "-c", raised]
        done = subprocess.run(command, cwd=copy.folder, env=without_settings(), capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        copy.carry_out("A code")
    assert done.stdout == "limit.silent\n"


def test_a_variant(copy: RecipeCopy) -> None:
    copy.carry_out("A variant")
    done = copy.gate("acceptance/postdeploy/test_health_checks.py", "-k", "traced or fresh", "--variant", "V99")
    assert done.returncode == 0, done.stdout
    assert "variants V99" in done.stdout


def test_a_vendor(copy: RecipeCopy) -> None:
    copy.carry_out("A vendor")
    lint = [sys.executable, "-m", "mypy", "--no-error-summary", "fixtures/vendors.py"]
    done = subprocess.run(lint, cwd=copy.folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_another_system(copy: RecipeCopy) -> None:
    shutil.copytree(copy.folder / "spec" / "clinic", copy.folder / "spec" / "surgery")
    copy.replace("spec/surgery/specification.toml", 'value = "json"', 'value = "text"')
    done = copy.gate("-m", "predeploy", "--spec", "spec/surgery/specification.toml")
    assert done.returncode == 1, done.stdout
    failed = read_verdict(copy.folder / "out").counts["failed"]
    assert failed == 1, done.stdout
