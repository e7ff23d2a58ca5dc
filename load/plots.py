"""The load page's plots as SVG whose colours follow the page (light, dark, print)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from load.histogram import Latencies
from load.record import LoadRecord, Sample
from spec.model import Specification

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Stand-ins that no plot uses otherwise; the page's style sheet gives them their real colours.
INK, GRID = "#010101", "#020202"
SERIES = ["#0a0001", "#0a0002", "#0a0003", "#0a0004", "#0a0005", "#0a0006", "#0a0007"]
GOOD, BAD, FAINT = "#0b0001", "#0b0002", "#0b0003"
NAMES = {INK: "ink", GRID: "grid", GOOD: "good", BAD: "bad", FAINT: "faint"} | {
    colour: f"s{number}" for number, colour in enumerate(SERIES, 1)
}
# For a plot that stands outside the page, in the order of NAMES.
ALONE = ["#1b1f24", "#c8ced6", "#11703a", "#b3261e", "#6b7480"]
ALONE += ["#1f6feb", "#d9480f", "#11703a", "#8250df", "#0b7285", "#bf3989", "#7a5c00"]
PERCENTS = [0, 50, 75, 90, 95, 99, 99.9]
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "load",
    "font.size": 10,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
}


def _svg(draw: Callable[[Figure], None], width: float, height: float, label: str, standalone: bool = False) -> str:
    # matplotlib is loaded where something is drawn: every run of the gate imports this module, and few draw.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.patch.set_alpha(0)
        draw(figure)
        for axes in figure.axes:
            axes.patch.set_alpha(0)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    if standalone:
        for colour, real in zip(NAMES, ALONE, strict=True):
            svg = svg.replace(colour, real)
        return svg
    for colour, name in NAMES.items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    # Ids repeat from one plot to the next, and one page holds them all.
    mark = re.sub(r"\W+", "-", label)
    svg = re.sub(r'id="([^"]+)"', rf'id="{mark}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{mark}-\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{mark}-\1"', svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def _milliseconds(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))


def arrivals(record: LoadRecord, standalone: bool = False) -> str:
    """Arrivals that were due against completions, a second."""
    width = record.block_seconds
    last = max([*record.due, *record.done, 0])
    at = [index * width for index in range(last + 1)]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        due = [record.due.get(index, 0) / width for index in range(last + 1)]
        done = [record.done.get(index, 0) / width for index in range(last + 1)]
        axes.step(at, due, where="post", color=SERIES[0], label="due", linewidth=1.6)
        axes.step(at, done, where="post", color=SERIES[1], label="completed", linewidth=1.2)
        axes.set(xlabel="seconds", ylabel="requests a second", ylim=(0, None))
        axes.legend(ncols=2, loc="upper left")

    return _svg(draw, 7.2, 2.4, "Arrivals against completions", standalone)


def over_time(record: LoadRecord, task: str, target_ms: float | None, baseline: Sequence[LoadRecord]) -> str:
    """Median and p95 of one task over time, with its target and the baseline's median of all."""
    blocks = [(block.block * record.block_seconds, Latencies(block.response)) for block in record.blocks if block.task == task]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        at = [moment for moment, _ in blocks]
        axes.plot(at, [each.percentile(95) for _, each in blocks], color=SERIES[1], label="p95", linewidth=1.2)
        axes.plot(at, [each.percentile(50) for _, each in blocks], color=SERIES[0], label="median", linewidth=1.4)
        if target_ms is not None:
            axes.axhline(target_ms, color=BAD, linestyle="--", linewidth=1.2, label="target")
        if old := [run for run in baseline if task in run.tasks()]:
            axes.axhline(_whole(old, task).percentile(50), color=FAINT, linestyle=":", linewidth=1.6, label="baseline median")
        _milliseconds(axes)
        axes.set(xlabel="seconds", ylabel="ms")
        axes.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0))

    return _svg(draw, 4.6, 2.5, f"Response time of {task} over time")


def _whole(runs: Iterable[LoadRecord], task: str) -> Latencies:
    found = Latencies()
    for run in runs:
        found.merge(run.latencies(task))
    return found


def percentiles(record: LoadRecord, baseline: Sequence[LoadRecord], standalone: bool = False) -> str:
    """Response time by percentile; each step to the right is one nine more."""

    def curve(latencies: Latencies) -> tuple[list[float], list[float]]:
        total, seen, xs, ys = latencies.count, 0, [], []
        for value, count in latencies.values():
            seen += count
            xs.append(1 / max(1 - (seen - 0.5) / total, 1 / (2 * total)))
            ys.append(value)
        return xs, ys

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for colour, task in zip(SERIES, record.tasks(), strict=False):
            axes.plot(*curve(record.latencies(task)), color=colour, label=task, linewidth=1.5)
            if old := [run for run in baseline if task in run.tasks()]:
                axes.plot(*curve(_whole(old, task)), color=colour, linewidth=1, linestyle=":")
        axes.set_xscale("log")
        axes.set_xticks([1 / (1 - percent / 100) for percent in PERCENTS], [f"{percent:g}" for percent in PERCENTS])
        axes.minorticks_off()
        _milliseconds(axes)
        axes.set(xlabel="percentile", ylabel="ms from the schedule")
        axes.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0))

    return _svg(draw, 7.2, 3.2, "Response time by percentile", standalone)


def queue(samples: Sequence[Sample]) -> str:
    """Documents on their way, the age of the oldest, and database connections over time."""
    seen = [sample for sample in samples if sample.at >= 0]

    def draw(figure: Figure) -> None:
        left, middle, right = figure.subplots(1, 3)
        at = [sample.at for sample in seen]
        left.step(at, [sample.queue or 0 for sample in seen], where="post", color=SERIES[0])
        left.set(title="documents on their way", xlabel="seconds", ylim=(0, None))
        middle.plot(at, [sample.oldest_seconds or 0 for sample in seen], color=SERIES[1])
        middle.set(title="oldest of them, seconds", xlabel="seconds", ylim=(0, None))
        right.plot(at, [sample.connections or 0 for sample in seen], color=SERIES[2])
        right.set(title="database connections", xlabel="seconds", ylim=(0, None))
        for axes in (left, middle, right):
            axes.title.set_fontsize(10)

    return _svg(draw, 9.2, 2.3, "Queue and connections over time")


def lag(record: LoadRecord) -> str:
    """The latest start of each block behind its schedule."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        at = [index * record.block_seconds for index in record.lag_by_block]
        axes.plot(at, [max(value, 0.01) for value in record.lag_by_block.values()], color=SERIES[3], linewidth=1.2)
        _milliseconds(axes)
        axes.set(xlabel="seconds", ylabel="ms")

    return _svg(draw, 4.6, 2.1, "Lag behind the schedule")


def stages(record: LoadRecord, spec: Specification) -> str:
    """Mean time of the documents in each stage."""
    found = [(name, record.documents.stages[name]) for name in spec.pipeline.stages if name in record.documents.stages]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        names = [name for name, _ in reversed(found)]
        axes.barh(names, [sum(values) / len(values) for _, values in reversed(found)], color=SERIES[0], height=0.6)
        axes.set(xlabel="seconds, mean")

    return _svg(draw, 4.6, 2.1, "Time of documents in each stage")


def stress(rates: Sequence[float], p95: dict[str, list[float | None]], knee: float) -> str:
    """p95 of each task by rate, with the knee."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for colour, (task, values) in zip(SERIES, p95.items(), strict=False):
            axes.plot(rates, [value or float("nan") for value in values], color=colour, marker="o", markersize=3, label=task)
        if knee:
            axes.axvline(knee, color=GOOD, linestyle="--", label="knee")
        _milliseconds(axes)
        axes.set(xlabel="arrivals a second", ylabel="p95, ms", xlim=(0, None))
        axes.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0))

    return _svg(draw, 7.2, 3.2, "p95 by rate of arrivals")


def levels(parallel: Sequence[int], per_minute: Sequence[float], seconds: Sequence[float]) -> str:
    """Documents a minute and time of a document by parallel uploads."""

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        left.plot(parallel, per_minute, color=SERIES[0], marker="o", label="measured")
        left.plot(parallel, [per_minute[0] * n / parallel[0] for n in parallel], color=FAINT, linestyle=":", label="linear")
        left.set(xlabel="uploads at once", ylabel="documents a minute", ylim=(0, None))
        left.legend()
        right.plot(parallel, seconds, color=SERIES[1], marker="o")
        right.set(xlabel="uploads at once", ylabel="seconds a document, median", ylim=(0, None))

    return _svg(draw, 8.4, 2.8, "Documents by parallel uploads")
