"""What a load run is held to, and its verdict: breaches with expected, observed and the part at fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gate.exit_codes import ExitCode
from load.compare import Comparison
from load.record import LoadRecord
from spec.model import Specification, Target

EXIT_CODES = {
    "pass": ExitCode.PASS,
    "fail": ExitCode.FAIL,
    "invalid": ExitCode.FAIL,
    "blocked": ExitCode.BLOCKED,
}
FIGURES = (("p50_ms", 50.0), ("p95_ms", 95.0), ("p99_ms", 99.0))


@dataclass(frozen=True)
class Bound:
    """One threshold with what was observed. `observed` is None where there were too few requests to tell."""

    what: str
    figure: str
    limit: float
    observed: float | None
    unit: str
    section: str
    component: str

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


def bounds(record: LoadRecord, spec: Specification) -> Iterator[Bound]:
    """Every threshold: error rate, percentiles of each task, documents and connections."""
    limits = spec.load.thresholds
    rate = spec.targets["load_error_rate"]
    kinds = ", ".join(f"{kind} ×{count}" for kind, count in record.errors().most_common(3))
    yield Bound(f"failed requests{f' ({kinds})' if kinds else ''}", "share", rate.max_ratio or 0.0, record.error_share, "share",
                rate.section, "api")  # fmt: skip
    for task in record.tasks():
        yield from _of_task(record, spec, task)
    documents, section = record.documents, spec.load.section
    if documents.uploaded:
        left = 1 - documents.done / documents.uploaded
        yield Bound("documents not completed", "share", 1 - limits.jobs_done_share, left, "share", section, "worker")
        oldest = max((sample.oldest_seconds or 0.0 for sample in record.samples), default=0.0)
        yield Bound("oldest unfinished document", "age", limits.job_age_seconds, oldest, "s", section, "worker")
    used = [s.connections / s.connections_allowed for s in record.samples if s.connections and s.connections_allowed]
    if used:
        yield Bound("database connections in use", "share", limits.connections_share, max(used), "share", section, "database")


def _of_task(record: LoadRecord, spec: Specification, name: str) -> Iterator[Bound]:
    task = spec.load.tasks[name]
    target: Target = spec.targets[task.target]
    latencies, limits = record.latencies(name), spec.load.thresholds
    enough = {50.0: 1, 95.0: limits.p95_samples, 99.0: limits.p99_samples}
    given = {"p50_ms": target.median_ms or task.p50_ms, "p95_ms": target.p95_ms, "p99_ms": task.p99_ms}
    component = "chat" if name == "chat" else "api"
    for figure, percent in FIGURES:
        if (limit := given[figure]) is not None:
            observed = latencies.percentile(percent) if latencies.count >= enough[percent] else None
            section = target.section if figure == "p95_ms" else spec.load.section
            yield Bound(f"{name} under load", figure.removesuffix("_ms"), limit, observed, "ms", section, component)
    if target.mean_ms is not None:
        yield Bound(f"{name} under load", "mean", target.mean_ms, latencies.mean(), "ms", target.section, component)


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
