"""The content of verdict.json, and of summary.json, which the page is drawn from.

`python -m reports.schema` prints the JSON schema of verdict.json, as docs/verdict.schema.json holds it.
"""

from __future__ import annotations

import json
from typing import Literal, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from gate.cells import CellData
from reports.change_schema import ChangesData
from reports.decision.schema import DecidedData
from reports.recovery_schema import RecoveryData

VERSION = 2


class ReleaseData(TypedDict):
    """What one source says of the release that is live: `version`, `commit` or `platform`; `unknown` where it says nothing."""

    source: str
    value: str


class TargetData(TypedDict):
    """What was judged; `release` is what the target says of itself, or `unknown`."""

    kind: Literal["twin", "live"]
    name: str
    api_base_url: str
    release: str
    releases: list[ReleaseData]
    faults: list[str]
    variants: list[str]


class HarnessData(TypedDict):
    """What judged it."""

    commit: str


class CheckData(TypedDict):
    """One check."""

    id: str
    status: str
    promise: str
    observed: str
    seconds: float


class ItemData(TypedDict):
    """One item of the specification's checklist; its status is the worst of its checks'."""

    id: str
    title: str
    status: str
    checks: list[CheckData]


class ExchangeData(TypedDict):
    """The request in which a fact was seen; status 0: no response. Seconds of the whole call, which ended `at`."""

    method: str
    url: str
    status: int
    content_type: str
    seconds: float
    request_id: str
    own: bool
    at: NotRequired[float]


class FactData(TypedDict):
    """One thing that is wrong, seen by so many checks. `again` is what running one of them again showed, such as `3 of 3`."""

    code: str
    subject: str
    component: str
    expected: str
    observed: str
    checks: int
    again: str
    exchange: ExchangeData | None


class TimelineData(TypedDict):
    """One thing that happened around a failure, in the words of its source: a service, a job or the platform.

    `kind` is log, status, deploy or event; `level` that of a log line; `count` how often it was said. `tells`: the line that
    shows the cause.
    """

    time: str
    source: str
    kind: Literal["log", "status", "deploy", "event"]
    level: str
    text: str
    count: int
    tells: bool


class FindingData(TypedDict):
    """A cause, with the facts that prove it and the checks that it explains.

    `harm` is a class of spec/codes.toml, worst first in rank; `reach` the number of checks that failed or were blocked by it;
    `confidence` is proven, observed or likely. A failure mode stands only where its proof holds. `command` is part of the next
    step, or empty. `timeline` is what the platform knows about it, oldest first.
    """

    rank: int
    id: str
    title: str
    harm: str
    reach: int
    confidence: str
    component: str
    failure_mode: str | None
    section: str
    facts: list[FactData]
    expected: str
    evidence: str
    causes: list[str]
    next_step: str
    command: str
    checks: list[str]
    blocked: list[str]
    timeline: NotRequired[list[TimelineData]]


class NotJudgedData(TypedDict):
    """What is missing, the variable to set, and how many checks were not judged without it."""

    what: str
    set: str
    checks: int


class ResidueData(TypedDict):
    """What carried the run's tag before it and after its clean-up, by table and bucket."""

    before: dict[str, int]
    after: dict[str, int]


class FigureData(TypedDict):
    """A figure of the platform or of the database over a window: the run, the last day, or the moment.

    `value` is null where the source gives none; `judged` is false then, and where it is made of too few samples. One of
    `at_most` and `at_least` is its bound.
    """

    name: str
    subject: str
    value: float | None
    at_most: float | None
    at_least: float | None
    unit: str
    window: Literal["run", "day", "now"]
    samples: int
    section: str
    source: str
    judged: bool
    broken: bool


class VerdictData(DecidedData):
    """verdict.json; `schema` is raised with every change that is not an addition.

    `platform` says what could not be seen of the platform's logs, and why; empty where all was, or nothing was asked.
    `changes`: only of a run of the calendar; `recoveries`: only of one with drills, the nearest to its limit first; `acting`:
    only with --act; `unfinished`: what an earlier --act left.
    `changes`: only of a run of the calendar. `recoveries`: only of a run with drills, the one nearest to its limit first.
    `changes`: only of a run of the calendar.
    """

    schema: int
    verdict: Literal["pass", "fail", "blocked"]
    target: TargetData
    harness: HarnessData
    run_id: str
    started_at: str
    duration_s: float
    release_live_s: float | None
    counts: dict[str, int]
    not_judged: list[NotJudgedData]
    checklist: list[ItemData]
    findings: list[FindingData]
    platform: NotRequired[str]
    figures: list[FigureData]
    budget: dict[str, dict[str, float]]
    used: str
    residue: ResidueData
    changes: NotRequired[ChangesData]
    recoveries: NotRequired[list[RecoveryData]]


class DocumentData(TypedDict):
    """One document's way through the pipeline; a stage is status, state, and seconds since the upload."""

    name: str
    outcome: str
    seconds: float
    stages: list[tuple[str, str, float]]
    retry_count: int


class ResponseTime(TypedDict):
    """One measured thing and its targets: figures and limits in milliseconds by name.

    `nearness`: how near it is to its limit (1: reached).
    """

    name: str
    section: str
    targets: list[str]
    count: int
    figures: dict[str, float]
    low: float
    limits: dict[str, float]
    broken: list[str]
    nearness: float


class SummaryData(TypedDict):
    """summary.json: what the page shows beside the verdict."""

    run: VerdictData
    documents: list[DocumentData]
    document_limit_s: float
    access: list[CellData]
    response_times: list[ResponseTime]
    slowest: list[tuple[str, float]]
    suites: dict[str, str]
    speedup: float


def json_schema() -> str:
    """The JSON schema of verdict.json."""
    return json.dumps(TypeAdapter(VerdictData).json_schema(), indent=1) + "\n"


if __name__ == "__main__":
    print(json_schema(), end="")
