"""The end of a load run: from parts to a record, to a verdict, a line of history and a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gate.places import OUT
from gate.session import Session
from load import page
from load.compare import Comparer, Comparison
from load.judge import judge, lines, problems
from load.plan import LoadPlan
from load.record import HISTORY, LoadRecord, Part, baseline, read, releases, store
from load.target import release_under_test

HANDED_OVER = "load.json"
MORE_ROUNDS = 2


def record(session: Session, plan: LoadPlan, measured: Part, started_at: str) -> LoadRecord:
    """The record of a run from what its generators measured."""
    return LoadRecord(
        run_id=session.run.run_id,
        release=release_under_test(session),
        target=session.settings.text("HARNESS_TARGET_NAME"),
        kind=session.run.kind,
        faults=list(session.run.faults),
        profile=plan.name,
        started_at=started_at,
        seconds=round(plan.profile.seconds, 1),
        block_seconds=plan.block_seconds,
        due=plan.due_by_block(),
        **dict(measured),
    )


def hand_over(session: Session, found: LoadRecord) -> None:
    """Leave the record to whoever started the run."""
    session.shared.write(HANDED_OVER, found.model_dump_json())


def handed_over(session: Session) -> LoadRecord | None:
    """The record that a Locust process left, or None."""
    text = session.shared.read(HANDED_OVER)
    return LoadRecord.model_validate_json(text) if text else None


def compared(
    session: Session, new: Sequence[LoadRecord], old: Sequence[LoadRecord], history: Path = HISTORY
) -> list[Comparison]:
    """Runs of this release against the runs of a baseline."""
    if not old:
        return []
    known = read(history) if history.is_file() else []
    same = [other for other in known if other.profile == new[0].profile]
    return Comparer(session.spec.load.regression, session.spec.load.seed, same).compare(old, new)


def runs_to_compare(
    session: Session, more: Callable[[], list[LoadRecord]], old: Sequence[LoadRecord], history: Path = HISTORY
) -> list[LoadRecord]:
    """Runs of this release: as many as the specification says, and more of them while they cannot tell."""
    found = more()
    for _ in range(MORE_ROUNDS):
        if not old or all(c.judgement != "not enough data" for c in compared(session, found, old, history)):
            break
        found += more()
    return found


def keep(session: Session, records: Sequence[LoadRecord], history: Path = HISTORY) -> None:
    """Store runs; one that was not judged yet is used in comparisons when its figures count."""
    for record in records:
        record.verdict = record.verdict or ("invalid" if problems(record, session.spec) else "pass")
        store(record, history)


def conclude(
    session: Session,
    found: LoadRecord,
    which: str = "",
    repeats: Sequence[LoadRecord] = (),
    out: Path = OUT / "load",
    history: Path = HISTORY,
) -> int:
    """Judge, store, draw, and print the last lines; returns the exit code.

    `repeats` are further runs of this release, made to be compared with those of the baseline `which`.
    """
    rule = session.spec.load.regression
    # On a machine that is shared with the twin, only runs beside a healthy one tell the target's changes from the machine's.
    samples = [[each for each in (found, *repeats) if each.profile == rule.profile]]
    if session.run.kind == "live" and found.profile != rule.profile:
        samples.append([found])
    old: list[LoadRecord] = []
    comparisons: list[Comparison] = []
    for new in filter(None, samples) if which else ():
        earlier = baseline(which, new[0].profile, found.target, found.release, history)
        old += earlier
        comparisons += compared(session, new, earlier, history)
    judged = judge(found, session.spec, comparisons)
    found.verdict = judged.verdict
    keep(session, [found, *repeats], history)
    path = page.write(session, found, judged, old, out)
    heading = [f"baseline   release {releases(old)}, {len(old)} runs"] if old else []
    if which and not old:
        heading = ["baseline   none yet: what was measured is stored as the first to compare with"]
    for line in [*heading, *lines(found, judged, str(path))]:
        print(session.masking.mask(line))
    return judged.exit_code
