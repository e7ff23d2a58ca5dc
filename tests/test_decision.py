"""The policy's decision: rules in their order, known issues, times of day, and what never promotes."""

from __future__ import annotations

import datetime
import itertools
import json
import re
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.exit_codes import ExitCode
from reports import ci, notify, terminal
from reports.checklist import format_checklist
from reports.decision.conclude import DECIDED, ranked_by_harm
from reports.decision.counted import Judged, judged, steadiness_of
from reports.decision.data import as_data
from reports.decision.decide import NO_RULE, Decision, RunSeen, decide
from reports.schema import VerdictData
from spec import DEFAULT, SpecError
from spec.codes import declared
from spec.model.policy import Action, Policy
from spec.policy import BUILT_IN, FILE, load_policy
from tests.recorded import SPEC, a_verdict, check, concluded, worded

POLICY, _ = load_policy(None, DEFAULT, SPEC)
# A Wednesday, during working hours and at night.
DAY = datetime.datetime(2026, 3, 4, 10, 0, tzinfo=datetime.UTC)
NIGHT = DAY.replace(hour=23)
SATURDAY = DAY + datetime.timedelta(days=3)
PASSED, FAILED = RunSeen("pass", "live", DAY), RunSeen("fail", "live", DAY)
HEADER = ("header.security", "header X-Frame-Options", "api")
KNOWN: dict[str, Any] = {
    "id": "KI-1", "code": HEADER[0], "subject": HEADER[1], "owner": "platform", "reason": "until the rebuild",
    "expires": datetime.date(2026, 3, 4),
}  # fmt: skip


def a_finding(harm: str = "outage", **given: Any) -> Judged:
    """A finding of the API after the release, seen each time."""
    usual: dict[str, Any] = {"confidence": "observed", "component": "api", "code": "http.fields", "steadiness": "steady"}
    suites = frozenset({given.pop("suite", "postdeploy")})
    return Judged(**({"id": f"{harm}/x", "harm": harm, "suites": suites} | usual | given))


def with_known(**changed: Any) -> Policy:
    """The usual policy with one known issue."""
    return Policy.model_validate(POLICY.model_dump() | {"known": [KNOWN | changed]})


def known_finding(harm: str = "broken_promise", **given: Any) -> Judged:
    """A finding that is the known issue."""
    return a_finding(harm, **({"code": HEADER[0], "facts": (HEADER,)} | given))


# ── The usual policy, as a release engineer reads it ─────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("run", "findings", "action", "rule"),
    [
        (PASSED, [], "promote", "nothing counts against it"),
        (replace(PASSED, not_judged=3), [], "promote", "nothing counts against what was judged"),
        (replace(PASSED, verdict="blocked", strict=True, not_judged=3), [], "hold", "the target could not be judged"),
        (replace(PASSED, verdict="blocked"), [a_finding(confidence="likely")], "hold", "the target could not be judged"),
        (replace(FAILED, interrupted=True), [a_finding()], "hold", "the run was interrupted"),
        (replace(FAILED, interrupted=True), [a_finding("shown_across")], "roll_back", "data crosses users"),
        (FAILED, [a_finding("shown_across")], "roll_back", "data crosses users"),
        (replace(FAILED, now=NIGHT), [a_finding("secrets", steadiness="intermittent")], "roll_back", "data crosses users"),
        (replace(FAILED, now=SATURDAY), [a_finding("data_lost", component="worker")], "roll_back", "data crosses users"),
        (FAILED, [a_finding("written_across", code="env.production")], "hold", "something is broken"),
        (FAILED, [a_finding("shown_across", suite="predeploy")], "hold", "something is broken"),
        (FAILED, [a_finding("outage")], "roll_back", "the release is broken"),
        (FAILED, [a_finding("wrong_answers", component="rag", steadiness="unknown")], "roll_back", "the release is broken"),
        (replace(FAILED, now=NIGHT), [a_finding("outage")], "hold", "something is broken"),
        (replace(FAILED, now=SATURDAY), [a_finding("outage")], "hold", "something is broken"),
        (FAILED, [a_finding("outage", steadiness="intermittent")], "hold", "something is broken"),
        (FAILED, [a_finding("outage", confidence="likely")], "roll_back", "the release fails each time"),
        (FAILED, [a_finding("outage", confidence="likely", steadiness="unknown")], "hold", "something is broken"),
        (replace(FAILED, now=NIGHT), [a_finding("outage", confidence="likely")], "hold", "something is broken"),
        (FAILED, [a_finding("outage", component="openai")], "hold", "something is broken"),
        (FAILED, [a_finding("outage", component="worker", code="env.value")], "hold", "something is broken"),
        (FAILED, [a_finding("outage", suite="predeploy")], "hold", "something is broken"),
        (FAILED, [a_finding("broken_promise", code="release.differs")], "hold", "what is live is not the release"),
        (FAILED, [a_finding("slow"), a_finding("drift")], "hold", "slow, or configured otherwise"),
        (FAILED, [a_finding("drift")], "hold", "slow, or configured otherwise"),
        (FAILED, [a_finding("unjudged", component="harness"), a_finding("outage")], "hold", "the harness itself"),
        (FAILED, [a_finding("slow"), a_finding("outage")], "roll_back", "the release is broken"),
        (replace(PASSED, passed=0), [], "hold", NO_RULE),
        (replace(PASSED, is_whole=False), [], "hold", NO_RULE),
    ],
)  # fmt: skip
def test_the_usual_policy(run: RunSeen, findings: list[Judged], action: Action, rule: str) -> None:
    found = decide(POLICY, run, findings)
    assert (found.action, found.rule.startswith(rule)) == (action, True), found.rule


def test_the_decision_names_the_findings_that_made_it() -> None:
    found = decide(POLICY, FAILED, [a_finding("slow", id="a"), a_finding("outage", id="b"), a_finding("outage", id="c")])
    assert found.because == ("b", "c")
    assert [each.counts for each in found.counted] == [True, True, True]


# ── What holds for every policy and every run ────────────────────────────────────────────────────────────
HARMS = [*declared().harms, "a harm of tomorrow"]
RUNS = st.builds(
    RunSeen, verdict=st.sampled_from(["pass", "fail", "blocked"]), kind=st.sampled_from(["twin", "live"]),
    now=st.integers(0, 7 * 24 * 60).map(lambda minutes: DAY + datetime.timedelta(minutes=minutes)), is_whole=st.booleans(),
    interrupted=st.booleans(), strict=st.booleans(), not_judged=st.integers(0, 2), passed=st.integers(0, 2),
)  # fmt: skip
FINDINGS = st.lists(
    st.builds(
        a_finding, harm=st.sampled_from(HARMS), confidence=st.sampled_from(["proven", "observed", "likely", "guessed"]),
        component=st.sampled_from(["api", "worker", "openai", "harness", "part of tomorrow"]),
        steadiness=st.sampled_from(["steady", "intermittent", "unknown"]),
        suite=st.sampled_from(["predeploy", "postdeploy", "suite of tomorrow"]),
    ),
    max_size=3,
)  # fmt: skip
LENIENT = Policy.model_validate(
    {
        "rule": [
            {"name": "nothing", "action": "promote"},
            {"name": "drift", "action": "promote", "harms": ["drift"], "verdicts": ["pass", "fail"]},
            {"name": "likely", "action": "promote", "confidence": ["likely"], "components": ["openai"]},
        ]
    }
)


@settings(max_examples=300, deadline=None)
@given(run=RUNS, findings=FINDINGS)
def test_what_counts_is_never_promoted_by_the_usual_policy(run: RunSeen, findings: list[Judged]) -> None:
    found = decide(POLICY, run, findings)
    assert found.action != "promote" or not findings
    assert set(found.because) <= {finding.id for finding in findings}


@settings(max_examples=300, deadline=None)
@given(run=RUNS, findings=FINDINGS)
def test_a_policy_promotes_only_what_its_rule_names_and_a_run_that_ended(run: RunSeen, findings: list[Judged]) -> None:
    found = decide(LENIENT, run, findings)
    if found.action == "promote":
        assert (run.is_whole, run.interrupted, run.passed > 0) == (True, False, True)
        assert run.verdict != "blocked"
        assert all(each.harm == "drift" or (each.confidence, each.component) == ("likely", "openai") for each in findings)
    if any(each.harm == "a harm of tomorrow" and each.confidence != "likely" for each in findings):
        assert found.action == "hold"


@given(run=RUNS, findings=FINDINGS)
@settings(max_examples=100, deadline=None)
def test_more_findings_never_turn_a_decision_into_a_promotion(run: RunSeen, findings: list[Judged]) -> None:
    fewer = decide(POLICY, run, findings)
    more = decide(POLICY, run, [*findings, a_finding("outage")])
    assert more.action != "promote"
    assert fewer.action != "roll_back" or more.action == "roll_back"


def test_a_blocked_run_is_promoted_only_by_a_rule_that_says_so() -> None:
    rule = {"name": "staging without keys", "action": "promote", "not_judged": True}
    blocked = replace(PASSED, verdict="blocked", strict=True, not_judged=1)
    assert decide(Policy.model_validate({"rule": [rule]}), blocked, []).action == "hold"
    assert decide(Policy.model_validate({"rule": [rule | {"verdicts": ["blocked"]}]}), blocked, []).action == "promote"


# ── Times ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("hours", "at", "within"),
    [
        ("07:00-19:00", "07:00", True), ("07:00-19:00", "18:59", True), ("07:00-19:00", "19:00", False),
        ("22:00-06:00", "23:30", True), ("22:00-06:00", "05:59", True), ("22:00-06:00", "06:00", False), ("", "03:00", True),
    ],
)  # fmt: skip
def test_hours(hours: str, at: str, within: bool) -> None:
    rule = POLICY.rule[0].model_copy(update={"hours": hours})
    assert rule.is_within_hours(datetime.time.fromisoformat(at)) is within


def test_hours_and_weekdays_are_those_of_the_zone() -> None:
    rules = [{"name": "at night", "action": "hold", "hours": "00:00-06:00", "weekdays": ["thu"]}]
    policy = Policy.model_validate({"zone": "Asia/Tokyo", "rule": [*rules, {"name": "by day", "action": "promote"}]})
    # 17:00 UTC on Wednesday is two in the morning of Thursday in Tokyo.
    found = decide(policy, replace(PASSED, now=DAY.replace(hour=17)), [])
    assert (found.rule, found.at.isoformat()) == ("at night", "2026-03-05T02:00:00+09:00")
    assert decide(policy, PASSED, []).rule == "by day"


# ── Known issues ─────────────────────────────────────────────────────────────────────────────────────────
def test_a_known_issue_does_not_count_until_its_last_day_has_passed() -> None:
    policy, finding = with_known(), known_finding()
    assert decide(policy, FAILED, [finding]).action == "promote"
    late = decide(policy, replace(FAILED, now=DAY + datetime.timedelta(days=1)), [finding])
    assert (late.action, late.because) == ("roll_back", (finding.id,))
    data = as_data(late, FILE)
    assert data["known"] == []
    assert [(issue["id"], issue["findings"]) for issue in data["expired"]] == [("KI-1", [finding.id])]


@pytest.mark.parametrize(
    ("known", "finding"),
    [
        ({}, {"facts": (HEADER, ("http.fields", "endpoint GET /me", "api"))}),  # one of its facts is another
        ({"subject": "header X-Content-*"}, {}),
        ({"component": "worker"}, {}),
        ({}, {"harm": "outage"}),  # it did worse than the code's own harm
        ({"at_most": "slow"}, {}),
        ({}, {"harm": "a harm of tomorrow"}),
        ({}, {"facts": ()}),
    ],
)
def test_what_is_not_the_known_issue_counts(known: dict[str, Any], finding: dict[str, Any]) -> None:
    found = decide(with_known(**known), FAILED, [known_finding(**finding)])
    assert found.action != "promote"
    assert found.counted[0].counts


def test_a_pattern_covers_its_subjects_and_a_worse_harm_only_where_it_says_so() -> None:
    policy = with_known(subject="header X-*", at_most="outage")
    assert decide(policy, FAILED, [known_finding("outage")]).action == "promote"
    assert decide(policy, FAILED, [known_finding("shown_across")]).action == "roll_back"


def test_a_known_issue_beside_another_finding_leaves_that_one() -> None:
    found = decide(with_known(), FAILED, [known_finding(), a_finding("slow", id="s")])
    assert (found.action, found.because) == ("hold", ("s",))


# ── From findings ────────────────────────────────────────────────────────────────────────────────────────
def test_a_finding_brings_what_rules_ask_for() -> None:
    checks = [check("a", code="cors.missing", subject="origin x", component="network")]
    findings = concluded(checks)
    (data,) = worded(checks, findings)
    found = judged(findings[0], data["id"], {"acceptance/postdeploy/test_x.py::a": "1 of 3"})
    assert (set(found.suites), found.steadiness, found.failure_mode) == ({"postdeploy"}, "intermittent", "F20")
    assert found.facts == (("cors.missing", "origin x", "network"),)
    assert (found.harm, found.code, set(found.sections)) == ("outage", "cors.missing", {"§4"})


@pytest.mark.parametrize(
    ("again", "wanted"),
    [([], "unknown"), (["3 of 3"], "steady"), (["1 of 3"], "intermittent"), (["1 of 3", "3 of 3"], "steady")],
)
def test_steadiness(again: list[str], wanted: str) -> None:
    assert steadiness_of(again) == wanted


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────
GOOD = '[[rule]]\nname = "a"\naction = "hold"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rule =\n", "policy.toml: not TOML: .*line 1, column 7"),
        ("", "policy.toml: rule: Field required"),
        (GOOD.replace("hold", "pray"), r"policy.toml: rule.0.action: Input should be 'promote', 'hold' or 'roll_back'"),
        (GOOD + 'colour = "red"\n', "policy.toml: rule.0.colour: Extra inputs"),
        (GOOD + 'harms = ["dreadful"]\n', "policy.toml: rule.0.harms: dreadful: no class of harm"),
        (GOOD + 'codes = ["nothing.like.it"]\n', "policy.toml: rule.0.codes: nothing.like.it: no code"),
        (GOOD + 'suites = ["load"]\n', "policy.toml: rule.0.suites.0: Input should be"),
        (GOOD + 'hours = "7-19"\n', "policy.toml: rule.0.hours: '7-19' is not of the form HH:MM-HH:MM"),
        (GOOD + 'hours = "07:00-07:00"\n', "policy.toml: rule.0.hours: "),
        (GOOD + 'components = ["frontend"]\n', r"policy.toml: rule.0 \(a\): components: 'frontend' is no part"),
        (GOOD + 'failure_modes = ["F99"]\n', r"policy.toml: rule.0 \(a\): failure_modes: 'F99' is not known"),
        (GOOD.replace("hold", "promote") + "interrupted = true\n", "policy.toml: rule.0: interrupted: a run that was"),
        (GOOD + GOOD, "policy.toml: .*'a' stands twice"),
        ('zone = "Mars/Olympus"\n' + GOOD, "policy.toml: zone: 'Mars/Olympus' is no time zone"),
        (GOOD + '[[known]]\nid = "k"\n', "policy.toml: known.0.code: Field required"),
        (
            GOOD + '[[known]]\nid = "k"\ncode = "http.fields"\nsubject = "endpoint *"\nowner = "o"\nreason = "r"\n',
            "policy.toml: known.0.expires: Field required",
        ),
        (
            GOOD + '[[known]]\nid = "k"\ncode = "http.fields"\nsubject = "*"\nowner = "o"\nreason = "r"\nexpires = 2026-01-01',
            r"policy.toml: known.0.subject: '\*' begins with no kind",
        ),
        (GOOD + "[acting]\nlive_seconds = 0\n", "policy.toml: acting.live_seconds: Input should be greater than 0"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / FILE
    path.write_text(text)
    with pytest.raises(SpecError, match=message) as caught:
        load_policy(path, DEFAULT, SPEC)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=re.escape("own.toml: cannot be read (No such file or directory)")):
        load_policy(tmp_path / "own.toml", DEFAULT, SPEC)


def test_a_system_without_a_policy_has_the_smallest(tmp_path: Path) -> None:
    policy, name = load_policy(None, tmp_path / "specification.toml", SPEC)
    assert (name, decide(policy, PASSED, []).action, decide(policy, FAILED, [a_finding("drift")]).action) == (
        BUILT_IN, "promote", "hold",
    )  # fmt: skip


def test_every_rule_of_the_usual_policy_can_decide() -> None:
    """No rule stands behind one that always holds before it."""
    harms, parts = [*declared().harms], ["api", "openai", "harness"]
    kinds = itertools.product(harms, parts, ["http.fields", "release.differs", "env.value"])
    findings = [a_finding(harm, component=part, code=code) for harm, part, code in kinds]
    findings.append(a_finding("outage", confidence="likely"))
    runs = [PASSED, FAILED, replace(PASSED, not_judged=1), replace(FAILED, interrupted=True)]
    runs.append(replace(PASSED, verdict="blocked"))
    found = {decide(POLICY, run, chosen).rule for run in runs for chosen in [[], *([one] for one in findings)]}
    assert {rule.name for rule in POLICY.rule} <= found


# ── Where it is shown ────────────────────────────────────────────────────────────────────────────────────
def decided(action: Action = "roll_back") -> VerdictData:
    """A verdict with a decision, one known and one expired issue."""
    data = a_verdict()
    found = Decision(action, "a rule | of <b>", (data["findings"][0]["id"],), (), DAY)
    data["decision"] = as_data(found, FILE)
    issue = {"id": "KI-1", "owner": "me", "reason": "later", "expires": "2026-01-01", "findings": [data["findings"][0]["id"]]}
    data["decision"]["known"], data["decision"]["expired"] = [issue], [issue | {"id": "KI-2"}]  # type: ignore[list-item]
    return data


def test_the_last_lines_show_the_decision_and_its_rule() -> None:
    lines = terminal.closing_lines(decided(), "out")
    assert lines[-1].startswith("report")
    assert lines[-4] == "decision   ROLL BACK by the rule “a rule | of <b>” (policy.toml), because of finding 1"
    assert lines[-3] == "known      KI-1 (me: later), finding 1; does not count until 2026-01-01"
    assert lines[-2] == "expired    KI-2 (me: later), finding 1; counts again since 2026-01-01"


def test_messages_carry_the_decision_with_its_link() -> None:
    data = decided()
    text = notify.message(data, "https://ci/run/1")["text"]
    assert "*decision*: ROLL BACK by the rule “a rule | of &lt;b&gt;” (policy.toml) (<https://ci/run/1|why>)" in text
    comment = ci.format_markdown(data, "https://ci/run/1")
    assert "**Decision: ROLL BACK by the rule “a rule &#124; of &lt;b&gt;” (policy.toml), because of finding 1**" in comment
    assert "([report](https://ci/run/1))" in comment
    assert "::notice title=decision::ROLL BACK by the rule" in "\n".join(ci.annotation_lines(data))


def test_a_verdict_without_a_decision_is_shown_as_before() -> None:
    data = a_verdict()
    assert not [line for line in terminal.closing_lines(data, "out") if "decision" in line]
    assert "decision" not in notify.message(data)["text"] + ci.format_markdown(data) + format_checklist(data, {"8.2.1": "s"})


def test_exit_codes_by_decision_are_those_of_every_command() -> None:
    assert DECIDED == {"promote": ExitCode.PASS, "roll_back": ExitCode.FAIL, "hold": ExitCode.BLOCKED}


def test_a_failure_to_act_is_ranked_above_everything() -> None:
    data = a_verdict()
    (first,) = data["findings"]
    failed = json.loads(json.dumps(first)) | {"harm": "not_acted", "id": "act.failed/api"}
    worst = json.loads(json.dumps(first)) | {"harm": "written_across"}
    found = ranked_by_harm([worst, first, failed])
    assert [(each["rank"], each["harm"]) for each in found] == [(1, "not_acted"), (2, "written_across"), (3, "outage")]


def test_the_usual_file_is_documented() -> None:
    page = (DEFAULT.parents[2] / "docs" / "decision.md").read_text()
    for rule in POLICY.rule:
        assert rule.name in page, textwrap.shorten(rule.name, 60)
