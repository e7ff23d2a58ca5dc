"""What gate/internals uses of other libraries is still there in the installed releases, and still behaves so.

A failure here names the release that broke it: the one that was just updated.
"""

import importlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from gate.exit_codes import ExitCode
from gate.internals.dotenv_ import BrokenLine, read_bindings
from gate.internals.pytest_ import BEGINNING, HANDOVERS, MACHINERY, WAITS
from gate.places import ROOT
from tests.conftest import without_settings

DISTRIBUTIONS = ("pytest", "pluggy", "pytest-xdist", "allure-pytest", "pytest-timeout")
PLACES = {
    "pytest_pyfunc_call": ("_pytest.python", "pytest"),
    "call_fixture_func": ("_pytest.fixtures", "pytest"),
    "_teardown_yield_fixture": ("_pytest.fixtures", "pytest"),
    "loop_once": ("xdist.dsession:DSession", "pytest-xdist"),
    "pytest_sessionstart": ("_pytest.hookspec", "pytest"),
}
# The gate's own handling of Ctrl-C in a small project; `mark` leaves a file, `press` is Ctrl-C.
PLUGIN = """
import os, signal, time
from pathlib import Path
import pytest
from gate.interrupts import Interrupts

interrupts = Interrupts()

def mark(name):
    (Path(__file__).parent / name).touch()

def press():
    os.killpg(0, signal.SIGINT)
    time.sleep(0.001)  # Python hears of it at its next instruction

def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        interrupts.listen(spread=bool(getattr(session.config.option, "numprocesses", None)))
"""
ENDLESS = "def test_one():\n    time.sleep(9)\n    mark('went on')\n"
BODIES = {
    "check": "def test_one():\n    press()\n    mark('went on')\n",
    "fixture": "@pytest.fixture\ndef user():\n    press()\n    mark('went on')\ndef test_one(user):\n    pass\n",
    "end of a fixture": (
        "@pytest.fixture\ndef user():\n    yield\n    press()\n    mark('went on')\ndef test_one(user):\n    pass\n"
    ),
    "hook": ENDLESS,
    "wait for other processes": ENDLESS.replace("    time", "    press()\n    time"),
}
HOOK = "\n@pytest.hookimpl(tryfirst=True)\ndef pytest_runtest_setup(item):\n    press()\n    mark('hook ended')\n"


def releases() -> str:
    """The installed releases, for the message."""
    return ", ".join(f"{name} {version(name)}" for name in DISTRIBUTIONS)


@pytest.mark.parametrize("name", [*HANDOVERS, *WAITS, BEGINNING])
def test_the_functions_that_hand_over_have_these_names(name: str) -> None:
    where, distribution = PLACES[name]
    module, _, owner = where.partition(":")
    found = importlib.import_module(module)
    holder = getattr(found, owner, None) if owner else found
    message = f"{distribution} {version(distribution)} has no {where}.{name}: gate/internals/pytest_.py"
    assert callable(getattr(holder, name, None)), message


@pytest.mark.parametrize("name", MACHINERY)
def test_the_machinery_lies_where_it_is_looked_for(name: str) -> None:
    assert importlib.util.find_spec(name), f"there is no module {name} in {releases()}: gate/internals/pytest_.py"


@pytest.mark.twin
@pytest.mark.parametrize("place", BODIES)
def test_ctrl_c_ends_a_checks_own_work_and_no_hook(tmp_path: Path, place: str) -> None:
    (tmp_path / "conftest.py").write_text(PLUGIN + (HOOK if place == "hook" else ""))
    (tmp_path / "test_it.py").write_text(f"import time, pytest\nfrom conftest import mark, press\n{BODIES[place]}")
    command = [sys.executable, "-m", "pytest", f"--rootdir={tmp_path}", "-c", "/dev/null", "-q", "-p", "no:cacheprovider", "."]
    command += ["-n", "1"] if place == "wait for other processes" else ["-p", "no:xdist"]
    environment = without_settings() | {"PYTHONPATH": str(ROOT)}
    # A process group of its own: what is sent here must not reach this one.
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, start_new_session=True
    )
    seen = f"{releases()}\n{done.stdout}{done.stderr}"
    assert done.returncode == ExitCode.INTERRUPTED, seen
    assert not (tmp_path / "went on").exists(), seen
    assert (tmp_path / "hook ended").exists() is (place == "hook"), seen
    assert "INTERNALERROR" not in done.stdout, seen


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1\nB=\n", {"A": "1", "B": ""}),
        ("A=\"x\\n\"\nB='y '\n", {"A": "x\n", "B": "y "}),
        ("# a comment\nexport A=1 # another\n\n", {"A": "1"}),
        ('A="two\nlines"\nB=1\n', {"A": "two\nlines", "B": "1"}),
        ("A=${HOME}\n", {"A": "${HOME}"}),
    ],
)
def test_an_env_file_is_read_as_it_stands(tmp_path: Path, text: str, values: dict[str, str]) -> None:
    (tmp_path / "x.env").write_text(text)
    assert read_bindings(tmp_path / "x.env") == values, f"python-dotenv {version('python-dotenv')}"


@pytest.mark.parametrize(("text", "number"), [("A=1\nB=2\nthis is no assignment !\n", 3), ("'A\n", 1), ('A=1\n\nB="x\n', 3)])
def test_a_broken_line_is_told_by_its_number(tmp_path: Path, text: str, number: int) -> None:
    (tmp_path / "x.env").write_text(text)
    with pytest.raises(BrokenLine) as error:
        read_bindings(tmp_path / "x.env")
    assert error.value.number == number, f"python-dotenv {version('python-dotenv')}"
