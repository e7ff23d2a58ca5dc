"""docs/live.md: every command of it, in its order, on a copy of the project against a twin that plays the live target."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.arguments import joined
from gate.env_file import mode_of
from gate.settings import OWN, read_env_file
from proof.colleague import count_tagged
from proof.gate_run import read_verdict
from proof.targets import Target, operator_of, running
from spec import load
from tests.conftest import ROOT, without_settings
from tests.copies import Copy

PAGE = (ROOT / "docs" / "live.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", PAGE, re.S)
COMMANDS = [line.removeprefix("$ ") for block in BLOCKS for line in block.splitlines()]
# What the page has somebody look up: the settings that are no variables of the services, without the file that setup writes.
SPEC = load()
LOOKED_UP = SPEC.harness.settings.keys() - SPEC.variables.keys() - {"HARNESS_WORKER_ENV_FILE"}
# On a busy machine; alone the whole gate takes half a minute.
SECONDS = 600


def called(command: str) -> list[str]:
    """A command as it is called here: of this interpreter, and what make would do only shown."""
    program, *rest = shlex.split(command)
    if program == "make":
        return ["make", "-n", *rest]
    if program == ".venv/bin/pytest":
        return [sys.executable, "-m", "pytest", *joined(rest)]
    assert program == ".venv/bin/python", command
    return [sys.executable, *rest]


def test_every_command_is_of_a_kind_that_is_tried() -> None:
    assert len(COMMANDS) >= 12
    assert all(called(command) for command in COMMANDS)
    assert PAGE.count("```") == 2 * len(BLOCKS)


def test_every_setting_is_explained() -> None:
    rows = [row for row in PAGE.splitlines() if row.startswith("| `")]
    explained = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.split(" | ")[0])}
    assert {*SPEC.harness.settings, *OWN} <= explained


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """A healthy twin as a live target."""
    with running() as twin:
        yield twin


@pytest.mark.twin
def test_the_page_leads_from_nothing_to_a_verdict(tmp_path: Path, target: Target) -> None:
    copy = Copy(tmp_path / "project")
    env = without_settings() | {name: target.values[name] for name in LOOKED_UP if name in target.values}
    for command in COMMANDS:
        arguments = called(command)
        folder = ROOT if arguments[0] == "make" else copy.folder
        done = subprocess.run(arguments, cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
        if "gate.setup" in command:
            # From here on the file is enough.
            env = without_settings()
            written = copy.folder / ".env.staging"
            assert mode_of(written) == 0o600
            assert read_env_file(written)["DATABASE_URL"] == target.values["DATABASE_URL"]
    assert read_verdict(copy.folder / "reports" / "out").counts["not_judged"] == 0
    with operator_of(target) as everything:
        assert count_tagged(everything) == 0
