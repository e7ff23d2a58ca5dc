"""The decision and its story as verdict.json holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gate.acting import Story
from reports.decision.counted import Counted
from reports.decision.decide import Decision
from reports.decision.schema import ActingData, DecisionData, IssueData
from spec.model.policy import KnownIssue


def as_data(decision: Decision, policy: str) -> DecisionData:
    """A decision; `policy` is the file that it was made by."""
    by_known = {each: each.known for each in decision.counted}
    by_expired = {each: each.expired for each in decision.counted}
    return {
        "action": decision.action,
        "rule": decision.rule,
        "policy": policy,
        "at": decision.at.isoformat(timespec="seconds"),
        "because": list(decision.because),
        "counted": [
            {"finding": each.finding.id, "counts": each.counts, "known": [issue.id for issue in each.known]}
            for each in decision.counted
        ],
        "known": _issues(by_known),
        "expired": _issues(by_expired),
    }


def _issues(of: Mapping[Counted, Sequence[KnownIssue]]) -> list[IssueData]:
    """Each issue once, with the findings that are it."""
    found: dict[str, IssueData] = {}
    for counted, issues in of.items():
        for issue in issues:
            entry: IssueData = {
                "id": issue.id,
                "owner": issue.owner,
                "reason": issue.reason,
                "expires": issue.expires.isoformat(),
                "findings": [],
            }
            found.setdefault(issue.id, entry)["findings"].append(counted.finding.id)
    return list(found.values())


def story_as_data(story: Story) -> ActingData:
    """How a decision was carried out."""
    after = story.after
    return {
        "action": story.action,
        "state": story.state,
        "reason": story.reason,
        "steps": [
            {"name": step.name, "state": step.state, "at": step.at, "seconds": round(step.seconds, 1), "detail": step.detail}
            for step in story.steps
        ],
        "after": None
        if after is None
        else {"verdict": after.verdict, "release": after.release, "findings": list(after.findings), "report": after.report},
    }
