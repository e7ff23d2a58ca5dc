"""Whether each document ended as it must, and was charged as it may be; pure functions of what was seen and stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gate.failures import Facts, Failure
from proof.chaos.happened import Happened, Struck
from proof.chaos.stored import Ended
from proof.chaos.story import Planned, Story
from spec.model import Chaos, Charged, Pipeline, Repeat

SUBJECT = "drill chaos"
SHOWN = 5
COMPLETE, FAILED, UNFINISHED, MISSING = "complete", "failed", "unfinished", "missing"


def failure(story: Story, code: str, expected: str, cases: Sequence[str], component: str) -> Failure:
    """A finding of a run: how many cases there are, and the first of them."""
    more = f" and {len(cases) - SHOWN} more" if len(cases) > SHOWN else ""
    return Failure(
        code,
        SUBJECT,
        expected=expected,
        observed=Facts(value=len(cases), story=story.id, detail="; ".join(cases[:SHOWN]) + more),
        what=f"in the story of seed {story.seed},",
        hint=f"python -m proof.chaos --seed {story.seed}; events.json beside story.json",
        component=component,
    )


def outcome_of(ended: Ended, rule: Pipeline) -> str:
    """What became of a document, by its job's row."""
    if not ended.document_id:
        return MISSING
    if (ended.status, ended.state) == (rule.final_status, rule.final_state):
        return COMPLETE
    return FAILED if rule.has_failed(ended.status) and ended.state == rule.failed_state else UNFINISHED


def missing_text(ended: Ended) -> list[str]:
    """The lines of a complete document that no chunk holds, however its words are broken into lines."""
    text = " ".join(ended.text.split())
    return [line for line in ended.sentences if " ".join(line.split()) not in text]


@dataclass(frozen=True)
class Judge:
    """Judges what is stored in the end of one run."""

    story: Story
    rule: Chaos
    pipeline: Pipeline
    happened: Happened

    def documents(self, stored: Sequence[Ended]) -> Iterator[Failure]:
        """Each document is complete, or failed with a reason; none was lost."""
        found = {name: [one for one in stored if outcome_of(one, self.pipeline) == name] for name in (MISSING, UNFINISHED)}
        if missing := found[MISSING]:
            cases = [f"{_name(one)} has no row" for one in missing]
            yield self._failure("drill.not_accepted", "each document to be accepted when it is sent again", cases, "api")
        if unfinished := found[UNFINISHED]:
            cases = [f"{_name(one)} is {one.status}, {one.state}, {one.retries} retries {one.error}" for one in unfinished]
            yield self._failure("drill.lost", "each document to be complete, or failed with a reason", cases, "worker")
        yield from self._complete([one for one in stored if outcome_of(one, self.pipeline) == COMPLETE])
        yield from self._failed([one for one in stored if outcome_of(one, self.pipeline) == FAILED], stored)

    def _complete(self, complete: Sequence[Ended]) -> Iterator[Failure]:
        unsent = [f"{_name(one)} is complete, and its bytes were never accepted" for one in complete if not one.was_sent]
        unreadable = [f"{_name(one)} cannot be read, and is complete" for one in complete if not one.is_readable]
        if wrong := unsent + unreadable:
            yield self._failure("drill.dishonest", "only documents to be complete that were read", wrong, "worker")
        partial = [(one, lines) for one in complete if one.is_readable and (lines := missing_text(one))]
        if partial:
            cases = [f"{_name(one)} lacks {len(lines)} of {len(one.sentences)} lines" for one, lines in partial]
            yield self._failure("drill.lost", "a complete document to hold all of its text", cases, "worker")

    def _failed(self, failed: Sequence[Ended], stored: Sequence[Ended]) -> Iterator[Failure]:
        """That each has a reason is an invariant; here it is how many there are."""
        readable = [one for one in failed if one.is_readable]
        of = sum(one.is_readable for one in stored)
        if len(readable) > self.rule.most_failed_share * of:
            cases = [f"{_name(one)} {one.status} {one.error}" for one in readable]
            expected = f"at most {self.rule.most_failed_share:.0%} of {of} documents to fail"
            yield self._failure("drill.failed", expected, cases, "worker")

    def charges(self, stored: Sequence[Ended]) -> Iterator[Failure]:
        """No call that costs something was made twice without a reason."""
        for charged in self.rule.charged:
            cases = [f"{_name(one)}: {why}" for one in stored if (why := self._unexplained(charged, one))]
            if cases:
                yield self._failure("drill.twice", charged.title, cases, charged.vendor)

    def _unexplained(self, charged: Charged, one: Ended) -> str:
        """Why a document was charged too often; nothing where it was not."""
        if len(one.charged) > charged.at_most:
            return f"{len(one.charged)} times, at most {charged.at_most}"
        for at in one.charged[1:]:
            if not any(self._explains(struck, charged.unless, at) for struck in self.happened.begun):
                return f"again at {at:.1f} s, after {', '.join(f'{each:.1f} s' for each in one.charged if each < at)}"
        return ""

    def _explains(self, struck: Struck, reasons: Sequence[Repeat], at: float) -> bool:
        planned = self.story.disturbances[struck.number]
        return any(is_like(planned, reason) and struck.began <= at <= struck.ended + reason.seconds for reason in reasons)

    def repeated(self, stored: Sequence[Ended]) -> int:
        """How many calls were charged beyond the first of each document."""
        return sum(max(0, len(one.charged) - 1) for one in stored)

    def _failure(self, code: str, expected: str, cases: Sequence[str], component: str) -> Failure:
        return failure(self.story, code, expected, cases, component)


def is_like(planned: Planned, reason: Repeat) -> bool:
    """Whether a disturbance is one of those that a reason names."""
    source, target = (str(planned.asked.get(name, "")) for name in ("source", "target"))
    return planned.kind == reason.kind and source.startswith(reason.source) and target.startswith(reason.target)


def _name(one: Ended) -> str:
    return f"document {one.number} of user {one.user}"
