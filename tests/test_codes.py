"""spec/codes.toml: every name that is used is declared, every code is raised by something, every text of it can be made."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from spec import SpecError
from spec.codes import FILE, declared
from tests.literals import codes, produced, subjects
from tests.modules import files, shown
from tests.recorded import RULES, check, concluded, worded

RAISING = ("acceptance", "fixtures", "gate", "load", "reports")
CODES = declared()
CODE = """
[harms]
outage = "outage"
[subjects]
endpoint = "e"
[codes."http.status"]
title = "t"
harm = "outage"
causes = ["c"]
say = "s"
"""
HEALTH = {"method": "GET", "url": "http://127.0.0.1:9/health", "status": 500}


def trees() -> list[tuple[str, ast.Module]]:
    """The modules that raise failures, or make findings."""
    return [(shown(path), ast.parse(path.read_text())) for path in files(*RAISING)]


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────
def test_every_code_in_the_sources_is_declared() -> None:
    found = [(f"{name}:{line}", code) for name, tree in trees() for line, code in codes(tree) if "." in code]
    assert len(found) > 20
    assert not [entry for entry in found if entry[1] not in CODES.codes]


def test_every_subject_in_the_sources_begins_with_a_declared_kind() -> None:
    found = [(f"{name}:{line}", text) for name, tree in trees() for line, text in subjects(tree)]
    assert len(found) > 10
    assert not [entry for entry in found if not entry[1].startswith("{") and CODES.problem("", entry[1])]


def test_every_declared_code_is_raised_by_something() -> None:
    raised = set().union(*(produced(tree) for _, tree in trees()))
    assert not (never := sorted(set(CODES.codes) - raised)), f"raised by nothing: {', '.join(never)}"


def test_every_class_of_harm_is_that_of_a_code() -> None:
    assert {code.harm for code in CODES.codes.values()} == set(CODES.harms)


def test_literals_are_seen_where_they_are_given() -> None:
    tree = ast.parse(
        'Failure("a.b", f"table {name}", observed="x.y")\n'
        'expect(value, "w", code="c.d" if odd else "e.f", subject=given or "row x")\n'
        'pytestmark = about("g.h")\nfound = code == "i.j" or code in {"k.l"}\nreturned = "m.n"\n'
    )
    assert codes(tree) == [(1, "a.b"), (2, "c.d"), (2, "e.f"), (3, "g.h")]
    assert subjects(tree) == [(1, "table "), (2, "row x")]
    assert "m.n" in produced(tree)
    assert not {"i.j", "k.l"} & produced(tree)


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CODE.replace('harm = "outage"', 'harm = "dreadful"'), "codes.http.status.harm: 'dreadful' is no class of harm"),
        (CODE.replace('causes = ["c"]', "causes = []"), "codes.http.status.causes: List should have at least 1 item"),
        (CODE.replace('say = "s"', ""), "codes.http.status.say: Field required"),
        (CODE + 'colour = "x"', "codes.http.status.colour: Extra inputs"),
        (CODE + 'on = "sometimes"', "codes.http.status.on: Input should be"),
        (CODE.replace('"t"', "t"), "codes.toml: "),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / FILE.name).write_text(text)
    with pytest.raises(SpecError, match=re.escape(message)) as caught:
        declared(tmp_path / FILE.name)
    assert "\n" not in str(caught.value)


# ── Its texts ────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("code", CODES.codes)
def test_a_title_and_a_next_step_are_made_of_facts(code: str) -> None:
    failed = check(code=code, subject="endpoint GET /health", observed={"value": 3}, expected=4, relation="equals")
    assert failed.facts.failure is not None
    failed.facts.failure["exchange"] = HEALTH
    (data,) = worded([failed], concluded([failed]))
    # `%{http_code}` is curl's.
    assert not re.search(r"(?<!%)\{\w+\}", data["title"] + data["next_step"])
    assert "…" not in data["command"]
    assert data["command"] or not CODES.codes[code].run


@pytest.mark.parametrize("number", range(len(RULES.rule)))
def test_a_title_of_a_rule_is_made_of_facts(number: int) -> None:
    rule = RULES.rule[number]
    for text in (rule.title, rule.say):
        assert not set(re.findall(r"\{(\w+)\}", text)) - {"subject", "subjects", "name", "observed", "expected", "component"}


def test_every_command_is_one_that_a_shell_can_read(tmp_path: Path) -> None:
    script = tmp_path / "commands.sh"
    with script.open("w") as out:
        for code in CODES.codes:
            failed = check(code=code, subject="endpoint GET /health", observed={"value": 3})
            assert failed.facts.failure is not None
            failed.facts.failure["exchange"] = HEALTH
            out.write(worded([failed], concluded([failed]))[0]["command"] + "\n")
    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
