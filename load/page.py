"""One self-contained page per load run: whether it was good at a glance, and why in figures and plots below."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from gate.pages import templates_in
from gate.session import Session
from load import plots
from load.judge import Judged, of_task
from load.knee import Step
from load.levels import Level
from load.record import LoadRecord, releases
from load.target import release_under_test
from spec.model import Specification

TEMPLATES = Path(__file__).parent / "templates"
HEADLINES = {
    "pass": "PASS: every target held",
    "fail": "FAIL",
    "invalid": "INVALID: the figures do not count",
    "blocked": "BLOCKED: the target was down",
}
FIGURES = (50, 95, 99, 100)


def write(session: Session, record: LoadRecord, judged: Judged, baseline: Sequence[LoadRecord], out: Path) -> Path:
    """Write the page of a run; returns its path."""
    spec = session.spec
    lag = record.schedule_lag()
    lost = f", {len(record.lost)} of {record.workers} generators lost" if record.lost else ""
    content: dict[str, object] = {
        "title": f"Load: {judged.verdict} ({record.profile})",
        "tone": judged.verdict,
        "headline": HEADLINES[judged.verdict],
        "reasons": _reasons(judged),
        "subtitle": f"profile {record.profile}, {record.seconds:g} s, {record.requests} requests, {record.workers} generator(s)"
        f"{lost}; {record.target}, release {record.release[:12]}, {record.started_at}, run {record.run_id}",
        "rows": [_row(record, judged, spec, task) for task in record.tasks()],
        "lag_line": f"Of the requests 99 % started within {lag.percentile(99):.1f} ms of their schedule, all within "
        f"{lag.percentile(100):.1f} ms.",
        "comparisons": judged.comparisons,
        "baseline": f"release {releases(baseline)}, {len(baseline)} runs" if baseline else "",
        "plots": _plots(record, spec, baseline),
        "errors": [(task, kind, n) for task in record.tasks() for kind, n in record.errors(task).most_common()],
        "bounds": judged.bounds,
    }
    return _render(session, content, out / f"{record.profile}.html")


def _reasons(judged: Judged) -> list[str]:
    broken = [f"{bound.expected}: observed {bound.seen}. See the {bound.component}." for bound in judged.broken]
    slower = [f"Slower than the baseline: {slow.describe()}" for slow in judged.slower]
    return [*judged.problems, *broken[:5], *slower[:3]]


def _row(record: LoadRecord, judged: Judged, spec: Specification, task: str) -> dict[str, object]:
    response, service = record.latencies(task), record.latencies(task, "service")
    broken = {bound.figure for bound in judged.broken if bound.subject == of_task(task)}
    target = spec.targets[spec.load.tasks[task].target].p95_ms
    return {
        "task": task,
        "count": response.count,
        "failed": sum(record.errors(task).values()),
        "figures": [(response.percentile(percent), f"p{percent}" in broken) for percent in FIGURES],
        "service": [service.percentile(percent) for percent in FIGURES[:3]],
        "target": f"{target:g}" if target else "–",
    }


def _plots(record: LoadRecord, spec: Specification, baseline: Sequence[LoadRecord]) -> list[tuple[str, list[tuple[str, str]]]]:
    if not record.requests:
        return []
    found = [
        ("Arrivals against completions", [("", plots.arrivals(record))]),
        ("Response time by percentile", [("", plots.percentiles(record, baseline))]),
        (
            "Response time over time",
            [
                (task, plots.over_time(record, task, spec.targets[spec.load.tasks[task].target].p95_ms, baseline))
                for task in record.tasks()
            ],
        ),
    ]
    if any(sample.connections is not None for sample in record.samples):
        found.append(("Queue and database", [("", plots.queue(record.samples))]))
    last = [("Start behind the schedule (latest of each block)", plots.lag(record))]
    if record.documents.stages:
        last.append(("Documents: time in each stage", plots.stages(record, spec)))
    return [*found, ("Generator and worker", last)]


def write_stress(session: Session, steps: Sequence[Step], knee: float, out: Path) -> Path:
    """Write the page of a search for the knee."""
    ordered = sorted(steps, key=lambda step: step.rate)
    tasks = list(dict.fromkeys(task for step in ordered for task in step.p95_ms))
    p95 = {task: [step.p95_ms.get(task) for step in ordered] for task in tasks}
    content: dict[str, object] = {
        "title": "Load: stress",
        "tone": "pass" if knee else "fail",
        "headline": f"Knee at {knee:g} requests a second" if knee else "No rate that was tried holds the targets",
        "reasons": [f"{step.rate:g} a second: {'holds' if step.holds else step.why}" for step in ordered],
        "subtitle": _subtitle(session),
        "plots": [("p95 by rate", [("", plots.stress([step.rate for step in ordered], p95, knee))])],
    }
    return _render(session, content, out / "stress.html")


def write_worker(session: Session, levels: Sequence[Level], linearity: str, out: Path) -> Path:
    """Write the page of the worker's load."""
    per_minute = [level.documents.per_minute for level in levels]
    charts = [("", plots.levels([level.parallel for level in levels], per_minute, [level.median_seconds for level in levels]))]
    queues = [(f"{level.parallel} at once", plots.queue(level.samples)) for level in levels]
    content: dict[str, object] = {
        "title": "Load: worker",
        "tone": "pass" if all(level.documents.done == level.documents.uploaded for level in levels) else "fail",
        "headline": f"{max(per_minute):.0f} documents a minute",
        "reasons": [linearity]
        + [
            f"{level.parallel} at once: {level.documents.done} of {level.documents.uploaded} complete, "
            f"{level.documents.per_minute:g} a minute, median {level.median_seconds:.2f} s; "
            + ", ".join(f"{name} {sum(v) / len(v):.2f} s" for name, v in level.documents.stages.items())
            for level in levels
        ],
        "subtitle": _subtitle(session),
        "plots": [("Throughput and time", charts), ("Queue", queues)],
    }
    return _render(session, content, out / "worker.html")


def _subtitle(session: Session) -> str:
    name = session.settings.text("HARNESS_TARGET_NAME")
    return f"{name}, release {release_under_test(session)[:12]}, run {session.run.run_id}"


def _render(session: Session, content: dict[str, object], path: Path) -> Path:
    text = templates_in(TEMPLATES).get_template("load.html.j2").render(**content)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(session.masking.mask(text), encoding="utf-8")
    return path


def figures(record: LoadRecord) -> str:
    """The figures of a run as JSON, for evidence."""
    found = {
        task: {
            "response": {f"p{percent}": record.latencies(task).percentile(percent) for percent in FIGURES},
            "service": {f"p{percent}": record.latencies(task, "service").percentile(percent) for percent in FIGURES},
        }
        for task in record.tasks()
    }
    return json.dumps(found, indent=1)
