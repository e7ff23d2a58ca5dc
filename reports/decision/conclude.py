"""The decision of one run: made by the policy, and with --act carried out before the results are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import pytest

from gate.acting import WORDS, Order, Story
from gate.exit_codes import ExitCode
from gate.failures import Failure
from gate.history import root_of
from gate.judge_again import JudgeAgain
from gate.plugin import POLICY
from gate.session import Session
from reports.decision.counted import judged
from reports.decision.data import as_data, story_as_data
from reports.decision.decide import Decision, RunSeen, decide
from reports.findings import as_data as findings_as_data
from reports.judgement import EXIT_CODES
from reports.model import Fact, Finding
from reports.schema import FindingData, VerdictData
from reports.wording import Words
from spec.codes import declared

# What a program reads that goes by the decision (--exit-by decision).
DECIDED = {"promote": ExitCode.PASS, "roll_back": ExitCode.FAIL, "hold": ExitCode.BLOCKED}
HARNESS = "harness"
# Codes of checks that did not do their work.
DOUBTFUL = ("check.error", "check.deadline")
SUPERSEDED = "act.superseded"


@dataclass
class Deciding:
    """Decides over one run's findings. `is_whole`: the run ended by itself. `save` writes verdict.json as it is."""

    config: pytest.Config
    session: Session
    words: Words
    again: Mapping[str, str]
    is_whole: bool
    interrupted: bool
    save: Callable[[VerdictData], None]
    failures: list[Failure] = field(default_factory=list)

    def take(self, data: VerdictData, ranked: Sequence[Finding]) -> None:
        """Put the decision into verdict.json, carry it out where --act asks for that, and add what became of it."""
        policy, source = self.config.stash[POLICY]
        run = RunSeen(
            data["verdict"], self.session.run.kind, datetime.now(UTC), self.is_whole, self.interrupted,
            self.session.run.strict, sum(entry["checks"] for entry in data["not_judged"]), data["counts"]["passed"],
        )  # fmt: skip
        pairs = zip(ranked, data["findings"], strict=True)
        decision = decide(policy, run, [judged(finding, shown["id"], self.again) for finding, shown in pairs])
        data["decision"] = as_data(decision, source)
        if self.is_whole and (unfinished := self.config.hook.pytest_gate_unfinished(config=self.config, session=self.session)):
            data["unfinished"] = list(unfinished)
        if self.config.option.act and self.is_whole and decision.action != "hold":
            self._carry_out(decision, decision.action, data, ranked)

    def exit_code(self, data: VerdictData) -> ExitCode:
        """The verdict's exit code, or the decision's where that is asked for; never 0 after a failure to act."""
        by_verdict = EXIT_CODES[data["verdict"]]
        if self.config.option.exit_by != "decision" or "decision" not in data or self.failures:
            return by_verdict
        return DECIDED[data["decision"]["action"]]

    def _carry_out(
        self, decision: Decision, action: Literal["promote", "roll_back"], data: VerdictData, ranked: Sequence[Finding]
    ) -> None:
        policy, _ = self.config.stash[POLICY]
        order = Order(
            action, decision.rule, policy.acting, root_of(self.config),
            JudgeAgain(self.session, self.config, policy.acting.again), _doubt(ranked, self.words),
        )  # fmt: skip
        data["acting"] = story_as_data(Story(action))
        self.save(data)
        story = self.config.hook.pytest_gate_act(config=self.config, session=self.session, order=order)
        self._tell(story or _nobody(action), data)

    def _tell(self, story: Story, data: VerdictData) -> None:
        """Add what became of it, and what is wrong now: a failure to act stands above everything."""
        data["acting"] = story_as_data(story)
        self.failures = story.failures
        new = findings_as_data([_finding(failure) for failure in story.failures], self.words, {})
        data["findings"] = ranked_by_harm([*new, *data["findings"]])
        if any(failure.code != SUPERSEDED for failure in story.failures):
            data["verdict"] = "fail"
        elif story.failures and data["verdict"] == "pass":
            # Whatever is live now was not judged.
            data["verdict"] = "blocked"


def ranked_by_harm(findings: Sequence[FindingData]) -> list[FindingData]:
    """Findings in the order of their harm, otherwise as they stand, numbered anew."""
    codes = declared()
    found = sorted(findings, key=lambda finding: codes.rank(finding["harm"]))
    for number, finding in enumerate(found, 1):
        finding["rank"] = number
    return found


def _doubt(ranked: Sequence[Finding], words: Words) -> str:
    """Why the harness itself cannot be relied on in this run, or nothing."""
    found = [finding for finding in ranked if finding.component == HARNESS or finding.code in DOUBTFUL]
    return words.title(found[0]) if found else ""


def _finding(failure: Failure) -> Finding:
    component = failure.component or HARNESS
    fact = Fact(
        failure.code, failure.subject, component, "--act", expected=failure.expected, observed=failure.observed,
        what=failure.what, because=failure.because, hint=failure.hint,
    )  # fmt: skip
    return Finding(component, failure.code, [fact])


def _nobody(action: Literal["promote", "roll_back"]) -> Story:
    """The story of an order that nothing here can carry out."""
    reason = "nothing here knows how to carry a decision out for this system"
    failure = Failure("act.failed", "run decision", expected=f"to {WORDS[action]}", observed={"detail": reason})
    return Story(action, "refused", reason, failures=[failure])
