"""The parts `decision` and `acting` of verdict.json."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict


class CountedData(TypedDict):
    """Whether a finding counted; `known` are the ids of the issues that it is, where it did not."""

    finding: str
    counts: bool
    known: list[str]


class IssueData(TypedDict):
    """A known issue that findings of this run are: who answers for it, why, and the last day on which it holds."""

    id: str
    owner: str
    reason: str
    expires: str
    findings: list[str]


class DecisionData(TypedDict):
    """What becomes of the release, by which rule of which policy, and when that was decided (ISO 8601, the policy's zone).

    `because` are the ids of the findings that decided; `counted` says of each finding whether it counted, in the order of
    `findings`; a known issue under `expired` no longer holds, so its findings counted.
    """

    action: Literal["promote", "hold", "roll_back"]
    rule: str
    policy: str
    at: str
    because: list[str]
    counted: list[CountedData]
    known: list[IssueData]
    expired: list[IssueData]


class StepData(TypedDict):
    """One step of carrying a decision out; `at` is when it ended (ISO 8601), `seconds` how long it took."""

    name: str
    state: Literal["done", "failed", "skipped"]
    at: str
    seconds: float
    detail: str


class AfterData(TypedDict):
    """What judging again has shown: the verdict of that run, its findings' titles, and its page below the results folder."""

    verdict: str
    release: str
    findings: list[str]
    report: str


class ActingData(TypedDict):
    """How the decision was carried out (--act), as one story.

    `state`: `begun` stands only in the file of a run that ended in the middle. `refused`: nothing was requested. `superseded`:
    what is live was no longer what had been judged, so nothing was requested. `reason` says why it is not `done`.
    """

    action: Literal["promote", "roll_back"]
    state: Literal["begun", "done", "failed", "refused", "superseded", "interrupted"]
    reason: str
    steps: list[StepData]
    after: AfterData | None


class DecidedData(TypedDict, total=False):
    """What a decision adds to verdict.json. `acting`: only with --act; `unfinished`: what an earlier --act left half done."""

    decision: DecisionData
    acting: ActingData
    unfinished: list[str]
