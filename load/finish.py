"""The end of a load run: from parts to a record, to a verdict, a line of history and a page."""

from __future__ import annotations

from pathlib import Path

from fixtures.masking import mask
from fixtures.run import Run
from load import page
from load.compare import Comparer, Comparison, run_spread
from load.judge import Judged, judge, lines
from load.plan import LoadPlan
from load.record import HISTORY, LoadRecord, Parts, baseline, read, releases, store

HANDED_OVER = "load.json"
CLOSED = "closed loop"
STRESS = "stress"


def record(run: Run, plan: LoadPlan | None, parts: Parts, started_at: str, seconds: float) -> LoadRecord:
    """The record of a run from what its generators measured."""
    return LoadRecord(
        run_id=run.run_id,
        release=run.release,
        target=run.settings.harness_target_name,
        kind=run.kind,
        faults=list(run.faults),
        profile=plan.name if plan else CLOSED,
        started_at=started_at,
        seconds=round(plan.profile.seconds if plan else seconds, 1),
        block_seconds=plan.block_seconds if plan else run.spec.load.block_seconds,
        due=plan.due_by_block() if plan else {},
        **parts.whole(),
    )


def hand_over(run: Run, found: LoadRecord) -> None:
    """Leave the record to whoever started the run."""
    (run.folder / HANDED_OVER).write_text(found.model_dump_json())


def handed_over(run: Run) -> LoadRecord | None:
    """The record that a Locust process left, or None."""
    path = run.folder / HANDED_OVER
    return LoadRecord.model_validate_json(path.read_text()) if path.exists() else None


def compared(run: Run, found: LoadRecord, old: list[LoadRecord], history: Path = HISTORY) -> list[Comparison]:
    """This run against the runs of a baseline."""
    rule = run.spec.load.regression
    known = read(history) if history.is_file() else []
    same = [other for other in known if other.profile == found.profile]
    comparer = Comparer(rule, run.spec.load.seed, lambda task: run_spread(same, task, rule))
    return comparer.compare(old, [found])


def conclude(
    run: Run, found: LoadRecord, which: str = "", out: Path = Path("reports/out/load"), history: Path = HISTORY
) -> int:
    """Judge, store, draw, and print the last lines; answers the exit code."""
    old = baseline(which, found.profile, found.target, found.release, history) if which else []
    judged: Judged = judge(found, run.spec, compared(run, found, old, history) if old else [])
    found.verdict = judged.verdict
    store(found, history)
    path = page.write(found, judged, run.spec, old, out)
    heading = [f"baseline   release {releases(old)}, {len(old)} runs"] if old else []
    if which and not old:
        heading = ["baseline   none yet: this run is stored as the first to compare with"]
    for line in [*heading, *lines(found, judged, str(path))]:
        print(mask(line))
    return judged.exit_code
