"""Load runs as checks of the gate: Locust as a process of its own, what it measured, and its plots as evidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gate.failures import Facts, Failure, needs_writing, not_applicable
from gate.session import Session
from load import finish, page, plots
from load.comparable import comparable_runs
from load.compare import Comparison
from load.judge import Bound, judge, problems
from load.plan import LoadPlan
from load.processes import run_locust
from load.record import HISTORY, LoadRecord, baseline
from load.target import release_under_test


@dataclass(frozen=True)
class LoadResult:
    """A load run and what it is held to."""

    record: LoadRecord
    bounds: list[Bound]
    problems: list[str]

    def count(self, task: str) -> int:
        """Requests of one task."""
        return self.record.latencies(task).count

    def hold(self, *subjects: str) -> None:
        """Every threshold with one of these subjects holds; raises Failure, also when there is none."""
        __tracebackhide__ = True
        chosen = [bound for bound in self.bounds if bound.subject in subjects]
        if not chosen:
            raise Failure(
                "load.unmeasured",
                subjects[0],
                expected=f"{' and '.join(subjects)} to be measured",
                observed=Facts(error="nothing measured"),
                hint="locust.log of the run",
                component="harness",
            )
        for bound in chosen:
            if bound.is_broken:
                hint = f"the {bound.component}'s log; reports/out/load shows it over time"
                raise Failure(
                    bound.code,
                    bound.subject,
                    expected=bound.expected,
                    observed=Facts(bound.facts, detail=bound.seen),
                    hint=hint,
                    component=bound.component,
                )


@dataclass(frozen=True)
class Regression:
    """A load run against the runs of an earlier release."""

    comparisons: list[Comparison]

    def of(self, task: str) -> Comparison:
        """The comparison of one task; skips the check where the baseline does not know the task."""
        found = next((comparison for comparison in self.comparisons if comparison.task == task), None)
        if found is None:
            not_applicable(f"the baseline holds no requests of {task}")
        assert found is not None
        return found


def short_load(session: Session, out: Path) -> LoadResult:
    """The gate's profile of the specification; raises Failure when no load run took place."""
    needs_writing(session.read_only, "a load run")
    record = run_locust(session, LoadPlan.of(session.spec, session.spec.load.gate_profile))
    judged = judge(record, session.spec, [])
    path = page.write(session, record, judged, [], out)
    evidence = session.evidence
    evidence.attach(f"load run ({path.name})", page.figures(record))
    if record.requests:
        evidence.attach_picture("arrivals against completions", plots.arrivals(record, standalone=True))
        evidence.attach_picture("response time by percentile", plots.percentiles(record, [], standalone=True))
    return LoadResult(record, judged.bounds, judged.problems)


def against_baseline(session: Session, which: str, history: Path = HISTORY) -> Regression:
    """Runs of the comparison's profile, stored for the next release, and compared with the baseline.

    Raises Failure when the figures do not count, ConfigurationError when there is no such baseline; skips the checks
    when these are the first runs.
    """
    __tracebackhide__ = True
    needs_writing(session.read_only, "a load run")
    profile = session.spec.load.regression.profile
    old = baseline(which, profile, session.settings.text("HARNESS_TARGET_NAME"), release_under_test(session), history)
    new = finish.runs_to_compare(session, lambda: comparable_runs(session), old, history)
    comparisons = finish.compared(session, new, old, history)
    why = [problem for record in new for problem in problems(record, session.spec)]
    finish.keep(session, new, history)
    if why:
        raise Failure(
            "load.unmeasured",
            "task all",
            expected="load runs whose figures count",
            observed=Facts(error="not comparable", detail="; ".join(why)),
            hint="load on this machine",
            component="harness",
        )
    if not old:
        not_applicable("no earlier run is stored; these are the first to compare with")
    session.evidence.attach("comparison with the baseline", "\n".join(comparison.describe() for comparison in comparisons))
    return Regression(comparisons)
