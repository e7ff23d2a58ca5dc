"""What a load run is held to, and its verdict: breaches with expected, observed and the part at fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gate.exit_codes import ExitCode
from load.compare import Comparison
from load.record import LoadRecord, Sample
from spec.model import Specification, Target

EXIT_CODES = {
    "pass": ExitCode.PASS,
    "fail": ExitCode.FAIL,
    "invalid": ExitCode.FAIL,
    "blocked": ExitCode.BLOCKED,
}
# Subjects of thresholds (spec/codes.toml).
FAILED, DOCUMENTS = "task failed requests", "task documents"
OLDEST, CONNECTIONS = "target oldest document under load", "connections database"
FIGURES = (("p50_ms", 50.0), ("p95_ms", 95.0), ("p99_ms", 99.0))


@dataclass(frozen=True)
class Bound:
    """One threshold with what was observed. `observed` is None where there were too few requests to tell.

    `code`, `subject` (spec/codes.toml) and `facts` are those of the failure when it does not hold; `what` is for people.
    """

    code: str
    subject: str
    what: str
    figure: str
    limit: float
    observed: float | None
    unit: str
    section: str
    component: str
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_broken(self) -> bool:
        """Whether the threshold is exceeded."""
        if self.observed is None:
            return False
        return self.observed >= self.limit if self.unit == "ms" else self.observed > self.limit

    @property
    def expected(self) -> str:
        """The promise as text."""
        return f"{self.what}: {self.figure} {'below' if self.unit == 'ms' else 'at most'} {_shown(self.limit, self.unit)}"

    @property
    def seen(self) -> str:
        """What was observed, as text."""
        return "too few requests to tell" if self.observed is None else _shown(self.observed, self.unit)


@dataclass(frozen=True)
class Judged:
    """The conclusion of a run."""

    verdict: Literal["pass", "fail", "blocked", "invalid"]
    bounds: list[Bound]
    problems: list[str]
    comparisons: list[Comparison]

    @property
    def broken(self) -> list[Bound]:
        """Thresholds that do not hold."""
        return [bound for bound in self.bounds if bound.is_broken]

    @property
    def slower(self) -> list[Comparison]:
        """Tasks that are slower than in the baseline."""
        return [comparison for comparison in self.comparisons if comparison.judgement == "slower"]

    @property
    def exit_code(self) -> ExitCode:
        """0 pass, 1 fail or invalid, 6 the target was down."""
        return EXIT_CODES[self.verdict]


def _shown(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value * 100:.2f} %"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def of_task(task: str) -> str:
    """The subject of a task's response times."""
    return f"target {task} under load"


def bounds(record: LoadRecord, spec: Specification) -> Iterator[Bound]:
    """Every threshold: error rate, percentiles of each task, documents and connections."""
    yield _of_failures(record, spec)
    for task in record.tasks():
        yield from _of_task(record, spec, task)
    if record.documents.uploaded:
        yield from _of_documents(record, spec)
    used = [s for s in record.samples if s.connections and s.connections_allowed]
    if used:
        most = max(used, key=_share_in_use)
        facts = {"used": most.connections, "allowed": most.connections_allowed}
        yield Bound("db.exhausted", CONNECTIONS, "database connections in use", "share", spec.load.thresholds.connections_share,
                    _share_in_use(most), "share", spec.load.section, "database", facts)  # fmt: skip


def _share_in_use(sample: Sample) -> float:
    return (sample.connections or 0) / (sample.connections_allowed or 1)


def _of_failures(record: LoadRecord, spec: Specification) -> Bound:
    rate, errors = spec.targets["load_error_rate"], record.errors()
    kinds = ", ".join(f"{kind} ×{count}" for kind, count in errors.most_common(3))
    what = f"failed requests{f' ({kinds})' if kinds else ''}"
    facts = {"failed": errors.total(), "of": record.requests, "errors": dict(errors.most_common(3))}
    return Bound("load.errors", FAILED, what, "share", rate.max_ratio or 0.0, record.error_share, "share", rate.section, "api",
                 facts)  # fmt: skip


def _of_documents(record: LoadRecord, spec: Specification) -> Iterator[Bound]:
    documents, limits, section = record.documents, spec.load.thresholds, spec.load.section
    left = documents.uploaded - documents.done
    yield Bound("load.errors", DOCUMENTS, "documents not completed", "share", 1 - limits.jobs_done_share,
                left / documents.uploaded, "share", section, "worker", {"failed": left, "of": documents.uploaded})  # fmt: skip
    oldest = max((sample.oldest_seconds or 0.0 for sample in record.samples), default=0.0)
    yield Bound("target.slow", OLDEST, "oldest unfinished document", "age", limits.job_age_seconds, oldest, "s", section,
                "worker", {"seconds": round(oldest, 1)})  # fmt: skip


def _of_task(record: LoadRecord, spec: Specification, name: str) -> Iterator[Bound]:
    task = spec.load.tasks[name]
    target: Target = spec.targets[task.target]
    latencies, limits = record.latencies(name), spec.load.thresholds
    enough = {50.0: 1, 95.0: limits.p95_samples, 99.0: limits.p99_samples}
    given = {"p50_ms": target.median_ms or task.p50_ms, "p95_ms": target.p95_ms, "p99_ms": task.p99_ms}
    for figure, percent in FIGURES:
        if (limit := given[figure]) is not None:
            observed = latencies.percentile(percent) if latencies.count >= enough[percent] else None
            section = target.section if figure == "p95_ms" else spec.load.section
            yield _of_time(name, figure, limit, observed, section)
    if target.mean_ms is not None:
        yield _of_time(name, "mean_ms", target.mean_ms, latencies.mean(), target.section)


def _of_time(task: str, figure: str, limit: float, observed: float | None, section: str) -> Bound:
    component = "chat" if task == "chat" else "api"
    facts = {"milliseconds": round(observed, 1), "figure": figure} if observed is not None else {}
    return Bound("target.slow", of_task(task), f"{task} under load", figure.removesuffix("_ms"), limit, observed, "ms", section,
                 component, facts)  # fmt: skip


def problems(record: LoadRecord, spec: Specification) -> list[str]:
    """Why the figures of a run do not count."""
    limits, found = spec.load.thresholds, []
    late = record.late_share(limits.late_ms)
    if late > limits.late_share:
        found.append(
            f"the generator did not keep up: {late * 100:.1f} % of the requests started more than {limits.late_ms:g} ms "
            f"late; more workers (WORKERS=n), a lower rate or a quieter machine"
        )
    if record.dropped:
        found.append(
            f"{record.dropped} requests were not sent, because {spec.load.in_flight} were waiting for an answer already"
        )
    found += [
        f"generator {lost.name} was lost after {lost.at:g} s; its share of the schedule is missing" for lost in record.lost
    ]
    if not record.requests:
        found.append("no request was made")
    return found


def judge(record: LoadRecord, spec: Specification, comparisons: list[Comparison]) -> Judged:
    """blocked: the target was down. invalid: the figures do not count. fail: a threshold or the baseline does not hold."""
    found, why = list(bounds(record, spec)), problems(record, spec)
    judged = Judged("pass", found, why, comparisons)
    if record.aborted or not record.requests:
        return Judged("blocked", found, [record.aborted or "no request was made", *why], comparisons)
    # A server that answers nothing is the server's fault, also when it fills all places of the generator.
    failed = judged.broken and (not why or record.error_share > (spec.targets["load_error_rate"].max_ratio or 0))
    if failed or (judged.slower and not why):
        return Judged("fail", found, why, comparisons)
    return Judged("invalid" if why else "pass", found, why, comparisons)


def lines(record: LoadRecord, judged: Judged, where: str) -> list[str]:
    """The last lines of the terminal."""
    shown = [f"  {task:<9}{_figures(record, task)}" for task in record.tasks()]
    if record.documents.uploaded:
        d = record.documents
        shown.append(f"  documents {d.done} of {d.uploaded} complete, {d.per_minute:g} a minute")
    shown += [f"baseline   {comparison.describe()}" for comparison in judged.comparisons]
    shown += [f"problem    {problem}" for problem in judged.problems]
    lag = record.schedule_lag()
    shown.append(f"schedule   {record.requests} requests, p99 started {lag.percentile(99):.1f} ms late")
    where_and_how_long = f"of profile {record.profile} on {record.target} in {record.seconds:.0f} s"
    shown.append(f"verdict    {judged.verdict.upper()} {where_and_how_long}")
    for bound in judged.broken[:4]:
        shown += [f"expected   {bound.expected} [{bound.section}]", f"observed   {bound.seen}: see the {bound.component}"]
    for slow in judged.slower[:2]:
        shown += [f"expected   {slow.task} not slower than the baseline [failure mode F31]", f"observed   {slow.why}"]
    return [*shown, f"report     {where}"]


def _figures(record: LoadRecord, task: str) -> str:
    response, service = record.latencies(task), record.latencies(task, "service")
    shown = "  ".join(f"p{p:g} {response.percentile(p):7.1f}" for p in (50, 95, 99))
    errors = sum(record.errors(task).values())
    return f"{response.count:6} requests  {shown} ms  (service p95 {service.percentile(95):.1f})  {errors} failed"
