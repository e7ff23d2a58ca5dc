"""The diagnosis rules: names that are declared, proof in every rule, and what proof means."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.model import Check, Finding
from reports.rules import FILE, Rules, load_rules
from spec import SpecError
from tests.recorded import RULES, SPEC, check, concluded

RULE = """
[[rule]]
component = "api"
title = "t"
any_of = [{ code = "env.value" }]
"""
CONDITIONS = ("all_of", "any_of", "none_of", "passed", "not_passed", "takes")


def load(folder: Path, text: str) -> Rules:
    """The rules of a file with this text."""
    (folder / FILE).write_text(text)
    return load_rules(folder / "staging.toml", SPEC)


def test_no_file_means_no_rules(tmp_path: Path) -> None:
    assert load_rules(tmp_path / "staging.toml", SPEC) == Rules()


def test_target_and_budget_are_prerequisites_of_the_engine(tmp_path: Path) -> None:
    away = 'all_of = [{ code = "part.unavailable", subject = "part target" }]'
    assert load(tmp_path, RULE + away).rule[0].all_of[0].subject == "part target"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RULE.replace('"api"', '"apy"'), "component 'apy' is not known"),
        (RULE + 'failure_mode = "F99"', "failure mode 'F99' is not known"),
        (RULE + 'harm = "dreadful"', "harm 'dreadful' is not declared"),
        (RULE + 'spreads = "everywhere"', "rule.0.spreads: Input should be"),
        (RULE + 'all_of = [{ code = "env.valeu" }]', "code 'env.valeu' is not declared"),
        (RULE + 'all_of = [{ code = "env.*", about = "ev.*" }]', "code 'ev.*' is not declared"),
        (RULE + 'all_of = [{ code = "env.*", subject = "varable X" }]', "subject 'varable X' begins with no kind"),
        (RULE + 'all_of = [{ code = "env.*", component = "apy" }]', "component 'apy' is not known"),
        (RULE + 'all_of = [{ code = "part.unavailable", subject = "part databse" }]', "prerequisite 'databse' is not known"),
        (RULE + 'all_of = [{ subject = "part database" }]', "rule.0.all_of.0.code: Field required"),
        (RULE + 'takes = [{ code = "env.*", message = "x" }]', "rule.0.takes.0.message: Extra inputs"),
        (RULE + 'when = "x"', "rule.0.when: Extra inputs"),
        (RULE.replace("any_of", "takes"), "it has no proof"),
        (RULE.replace('"t"', "t"), FILE),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)) as caught:
        load(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(FILE)


@pytest.mark.parametrize("place", CONDITIONS)
def test_every_condition_of_a_rule_is_looked_at(tmp_path: Path, place: str) -> None:
    text = RULE.replace("any_of", "all_of") if place == "any_of" else RULE
    # TOML holds a key once.
    text = text.replace("any_of", "all_of" if place != "all_of" else "any_of")
    with pytest.raises(SpecError, match=re.escape("code 'no.such' is not declared")):
        load(tmp_path, text + f'{place} = [{{ code = "no.such" }}]')


def test_every_failure_mode_has_a_rule() -> None:
    assert set(SPEC.failure_modes) == {rule.failure_mode for rule in RULES.rule if rule.failure_mode}


# ── What a rule proves ───────────────────────────────────────────────────────────────────────────────────
ENV = check("env", code="env.value", subject="variable api X", component="configuration")
OTHER = check("other", code="http.fields", subject="endpoint GET /me")
GOOD = check("good", "passed", "http.fields", "endpoint GET /me")


def first(folder: Path, rule: str, *checks: Check) -> Finding:
    """The finding of a failed environment check, by this rule."""
    rules = load(folder, f'[[rule]]\nfailure_mode = "F26"\n{rule}\n')
    return next(f for f in concluded(checks, rules) if any(fact.code == "env.value" for fact in f.facts))


@pytest.mark.parametrize(
    ("rule", "checks", "holds"),
    [
        ('all_of = [{ code = "env.value" }, { code = "http.fields" }]', [ENV], False),
        ('all_of = [{ code = "env.value" }, { code = "http.fields" }]', [ENV, OTHER], True),
        ('any_of = [{ code = "env.value" }, { code = "http.fields" }]', [ENV], True),
        ('any_of = [{ code = "env.value", subject = "variable worker *" }]', [ENV], False),
        ('any_of = [{ code = "env.value" }]\nnone_of = [{ code = "http.fields" }]', [ENV, OTHER], False),
        ('any_of = [{ code = "env.value" }]\nnone_of = [{ code = "http.fields" }]', [ENV, GOOD], True),
        ('any_of = [{ code = "env.value" }]\npassed = [{ code = "http.fields" }]', [ENV], False),
        ('any_of = [{ code = "env.value" }]\npassed = [{ code = "http.fields" }]', [ENV, GOOD], True),
        ('any_of = [{ code = "env.value" }]\npassed = [{ code = "http.fields" }]', [ENV, GOOD, OTHER], False),
        ('any_of = [{ code = "env.value" }]\nnot_passed = [{ code = "http.fields" }]', [ENV], True),
        ('any_of = [{ code = "env.value" }]\nnot_passed = [{ code = "http.fields" }]', [ENV, GOOD], False),
    ],
)
def test_a_rule_names_a_failure_mode_only_where_its_proof_holds(
    tmp_path: Path, rule: str, checks: list[Check], holds: bool
) -> None:
    found = first(tmp_path, rule, *checks)
    assert found.failure_mode == ("F26" if holds else None)
    assert found.confidence == ("proven" if holds else "observed")
    # Without proof it is a possible cause, where one of its facts was seen.
    assert found.suspected == ([] if holds or "worker" in rule else ["F26"])


@pytest.mark.parametrize(
    ("observed", "wanted", "holds"),
    [
        ({"seconds": 31.5}, "{ above = 0 }", True),
        ({"seconds": 0}, "{ above = 0 }", False),
        ({"seconds": -3}, "{ above = 0 }", False),
        ({"seconds": -3}, "{ below = 0 }", True),
        ({"seconds": 5}, "{ above = 0, below = 10 }", True),
        ({"seconds": 15}, "{ above = 0, below = 10 }", False),
        ({"seconds": "31"}, "{ above = 0 }", False),
        ({}, "{ above = 0 }", False),
        ({"seconds": 2}, "2", True),
        ({"seconds": 3}, "[1, 2]", False),
        ({"seconds": "new"}, '["new", "old"]', True),
    ],
)
def test_observed_facts_are_compared(tmp_path: Path, observed: dict[str, object], wanted: str, holds: bool) -> None:
    failed = check(code="env.value", subject="variable api X", component="configuration", observed=observed)
    rule = f'any_of = [{{ code = "env.value", observed = {{ seconds = {wanted} }} }}]'
    assert first(tmp_path, rule, failed).failure_mode == ("F26" if holds else None)


def test_a_rule_of_symptoms_waits_for_causes(tmp_path: Path) -> None:
    rule = '[[rule]]\nfailure_mode = "F18"\ncomponent = "database"\nany_of = [{ code = "load.errors" }]\n'
    checks = [
        check("load", code="load.errors", subject="task chat", component="chat"),
        check("key", code="db.refused", subject="role api", component="database"),
    ]
    found = concluded(checks, load(tmp_path, rule))
    assert [(f.component, f.failure_mode, len(f.explained)) for f in found] == [("database", None, 1)]
