"""The diagnosis rules: names that the specification knows, and patterns that match a check."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from reports.rules import FILE, Rules, load_rules, unmatched
from spec import DEFAULT, SpecError
from tests.conftest import ROOT, without_settings
from tests.recorded import RULES, SPEC

RULE = """
[categories]
[[rule]]
component = "api"
category = "startup"
summary = "s"
causes = ["c"]
next = "n"
"""


def load(folder: Path, text: str) -> Rules:
    """The rules of a file with this text."""
    (folder / FILE).write_text(text)
    return load_rules(folder / "staging.toml", SPEC)


def test_no_file_means_no_rules(tmp_path: Path) -> None:
    assert load_rules(tmp_path / "staging.toml", SPEC) == Rules()


def test_target_and_budget_are_prerequisites_of_the_engine(tmp_path: Path) -> None:
    assert load(tmp_path, RULE + 'prerequisite = "target"\nprerequisites = ["budget", "api"]').rule[0].prerequisite == "target"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RULE.replace('"api"', '"apy"'), "component 'apy' is not known"),
        (RULE + 'failure_mode = "F99"', "failure mode 'F99' is not known"),
        (RULE + 'prerequisite = "databse"', "prerequisite 'databse' is not known"),
        (RULE + 'prerequisites = ["databse"]', "prerequisite 'databse' is not known"),
        (RULE + 'all_prerequisites = ["databse"]', "prerequisite 'databse' is not known"),
        (RULE + 'ground = "api"', "rule.0.ground: Extra inputs"),
        (RULE + 'when = [{ check = "test_(" }]', "no regular expression"),
        (RULE.replace('"s"', "s"), FILE),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)) as caught:
        load(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(FILE)


def test_a_pattern_that_matches_no_check_is_named(tmp_path: Path) -> None:
    rules = load(tmp_path, RULE + 'when = [{ check = "test_(one|two)_x|test_three" }]\nexplains = [{ check = ".*" }]')
    assert unmatched(rules, ["test_one_x[a]", "test_three"]) == ["api, s: test_(?:two)_x"]
    assert unmatched(rules, ["test_one_x", "test_two_x", "test_three"]) == []


def collected(spec_file: Path) -> list[str]:
    """Names of all checks of a specification."""
    command = [sys.executable, "-m", "pytest", "acceptance", "--collect-only", "--spec", str(spec_file)]
    done = subprocess.run(command, cwd=ROOT, env=without_settings(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line]


def test_every_pattern_matches_a_check() -> None:
    assert unmatched(RULES, collected(DEFAULT)) == []


def test_every_failure_mode_has_a_rule() -> None:
    # F11 shows as F29 or F09: from outside they look the same.
    assert set(SPEC.failure_modes) - {rule.failure_mode for rule in RULES.rule} == {"F11"}
