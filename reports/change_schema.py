"""What changed since the previous run of the same calendar entry on the same target: the part `changes` of verdict.json."""

from __future__ import annotations

from typing_extensions import TypedDict


class PreviousData(TypedDict):
    """The run that this one is compared with."""

    run_id: str
    started_at: str
    release: str
    verdict: str


class ChangedFactData(TypedDict):
    """One thing that is or was wrong. `before` and `now` are what was observed, empty where it was not wrong then.

    `since` is when it was first found, without a run in between that did not find it. `judged` is false where no check of
    this run could say anything about it.
    """

    code: str
    subject: str
    component: str
    title: str
    before: str
    now: str
    since: str
    since_run: str
    judged: bool


class ChecksData(TypedDict):
    """Checks that share a reason."""

    reason: str
    checks: list[str]


class ChangedValueData(TypedDict):
    """An observation that differs; empty where it was not made."""

    name: str
    before: str
    now: str


class ShiftData(TypedDict):
    """A change point in the response times of one thing over the stored runs.

    It lies between two runs: `at` is when the first run after it began, `run_id` and `release` are that run's, and `last_run`
    and `last_release` those of the run before it. `change` is a fraction: 0.2 is a fifth slower. `is_new`: the previous run
    did not report it.
    """

    name: str
    figure: str
    before_ms: float
    now_ms: float
    change: float
    p_value: float
    at: str
    run_id: str
    release: str
    last_run: str
    last_release: str
    is_new: bool


class ChangesData(TypedDict):
    """What changed; `previous` is null in the first run of its kind, which has nothing to be compared with.

    `runs` counts the runs that are kept, this one included; `release` is the one that was judged now.
    """

    calendar: str
    title: str
    runs: int
    release: str
    previous: PreviousData | None
    new: list[ChangedFactData]
    gone: list[ChangedFactData]
    drifted: list[ChangedFactData]
    open: list[ChangedFactData]
    not_judged: list[ChecksData]
    judged_again: list[str]
    checks_added: list[str]
    checks_removed: list[str]
    values: list[ChangedValueData]
    shifts: list[ShiftData]
