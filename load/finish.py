"""The end of a load run: from parts to a record, to a verdict, a line of history and a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gate.masking import mask
from gate.session import Session
from load import page
from load.compare import Comparer, Comparison
from load.judge import judge, lines, problems
from load.plan import LoadPlan
from load.record import HISTORY, LoadRecord, Parts, baseline, read, releases, store

HANDED_OVER = "load.json"
CLOSED = "closed loop"
STRESS = "stress"
MORE_ROUNDS = 2


def record(session: Session, plan: LoadPlan | None, parts: Parts, started_at: str, seconds: float) -> LoadRecord:
    """The record of a run from what its generators measured."""
    return LoadRecord(
        run_id=session.run.run_id,
        release=run.release,
        target=session.settings.text("HARNESS_TARGET_NAME"),
        kind=session.run.kind,
        faults=list(run.faults),
        profile=plan.name if plan else CLOSED,
        started_at=started_at,
        seconds=round(plan.profile.seconds if plan else seconds, 1),
        block_seconds=plan.block_seconds if plan else session.spec.load.block_seconds,
        due=plan.due_by_block() if plan else {},
        **parts.whole(),
    )


def hand_over(session: Session, found: LoadRecord) -> None:
    """Leave the record to whoever started the run."""
    (session.shared.path / HANDED_OVER).write_text(found.model_dump_json())


def handed_over(session: Session) -> LoadRecord | None:
    """The record that a Locust process left, or None."""
    path = session.shared.path / HANDED_OVER
    return LoadRecord.model_validate_json(path.read_text()) if path.exists() else None


def compared(session: Session, new: Sequence[LoadRecord], old: Sequence[LoadRecord], history: Path = HISTORY) -> list[Comparison]:
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
    """Store runs; one that nobody has judged yet is good for comparisons when its figures count."""
    for record in records:
        record.verdict = record.verdict or ("invalid" if problems(record, session.spec) else "pass")
        store(record, history)


def conclude(
    session: Session,
    found: LoadRecord,
    which: str = "",
    repeats: Sequence[LoadRecord] = (),
    out: Path = Path("reports/out/load"),
    history: Path = HISTORY,
) -> int:
    """Judge, store, draw, and print the last lines; answers the exit code.

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
    path = page.write(found, judged, session.spec, old, out)
    heading = [f"baseline   release {releases(old)}, {len(old)} runs"] if old else []
    if which and not old:
        heading = ["baseline   none yet: what was measured is stored as the first to compare with"]
    for line in [*heading, *lines(found, judged, str(path))]:
        print(mask(line))
    return judged.exit_code
