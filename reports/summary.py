"""One page that answers: is it good, and if not, what is broken and where? Made from summary.json, which every run leaves.

`python -m reports.summary [FOLDER]` draws it again, when Allure's report or a load report has come beside it.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict

from gate.exit_codes import ExitCode
from gate.pages import templates_in
from gate.places import OUT
from gate.session import Session
from gate.shared import ACCESS
from reports import access, change_text, history, recovery_plot, response_times
from reports.decision import text as decision_text
from reports.model import Check
from reports.schema import DocumentData, ResponseTime, SummaryData, VerdictData
from reports.terminal import format_release
from spec.codes import declared

DATA = "summary.json"
TEMPLATES = Path(__file__).resolve().parent / "templates"
SLOWEST = 8
HEADLINES = {
    "pass": ("PASS", "The deployment keeps every promise that was checked."),
    "fail": ("FAIL", "A promise of the specification is broken."),
    "blocked": ("BLOCKED", "The target could not be judged completely."),
}
LINKS = (
    ("audit.html", "Configuration audit: every setting in all the places where it stands"),
    ("allure-report/index.html", "Allure report: every check with its requests, responses and SQL"),
    ("load/smoke.html", "Load report: response times over time"),
    ("load/nightly.html", "Nightly load report"),
    ("load/stress.html", "Stress load report"),
    ("load/worker.html", "Worker load report"),
    ("checklist.md", "Checklist as text"),
    ("junit.xml", "JUnit"),
    ("ctrf.json", "CTRF"),
    ("verdict.json", "Verdict for machines"),
)


class Segment(TypedDict):
    """A stage of a document: begin and width in percent of the longest document, and its seconds."""

    stage: str
    begin: float
    width: float
    seconds: float


class Strip(TypedDict):
    """Where the figures and limits of a response time stand on the scale, in percent."""

    row: ResponseTime
    at: dict[str, float]
    low_at: float
    limits_at: dict[str, float]


def collect(session: Session, data: VerdictData, checks: Sequence[Check]) -> SummaryData:
    """What the page shows: the verdict, documents, response times, the slowest checks."""
    slowest = sorted(checks, key=lambda check: check.duration, reverse=True)[:SLOWEST]
    return {
        "run": data,
        "documents": _documents(session.shared.path / "documents"),
        "document_limit_s": session.system.longest_wait(session),
        "access": access.read(session.shared.path / ACCESS),
        "response_times": response_times.read(session.shared.path / "samples"),
        "slowest": [(check.name, round(check.duration, 2)) for check in slowest],
        "suites": {entry.id: entry.suite for entry in session.spec.checklist},
        "speedup": session.speedup,
    }


def _documents(folder: Path) -> list[DocumentData]:
    found: list[DocumentData] = []
    for path in sorted(folder.glob("*.json")):
        document_run = json.loads(path.read_text())
        found.append(
            {
                "name": document_run["name"],
                "outcome": document_run["outcome"],
                "seconds": float(document_run["seconds"]),
                "stages": document_run["stages"],
                "retry_count": document_run["retry_count"],
            }
        )
    return sorted(found, key=lambda document: -document["seconds"])


def write(out: Path, data: SummaryData, mask: Callable[[str], str]) -> None:
    """Leave the data and draw the page."""
    (out / DATA).write_text(mask(json.dumps(data, ensure_ascii=False)), encoding="utf-8")
    draw(out)


def draw(out: Path) -> None:
    """Draw the page from the data that a run left; raises FileNotFoundError when there is none."""
    data: SummaryData = json.loads((out / DATA).read_text(encoding="utf-8"))
    run = data["run"]
    title, sentence = HEADLINES[run["verdict"]]
    trend = history.trend(out, run["target"]["name"])
    page = templates_in(TEMPLATES).get_template("index.html.j2")
    text = page.render(
        data=run,
        changed=change_text,
        decided=decision_text,
        more=data,
        headline=title,
        sentence=sentence,
        links=[(path, text) for path, text in LINKS if (out / path).exists()],
        trend=trend,
        longest=max((entry["duration_s"] for entry in trend), default=1) or 1,
        documents=[(document, _segments(document, data["documents"])) for document in data["documents"]],
        response_times=[_strip(row) for row in data["response_times"]],
        access=access.tables(data.get("access", [])),
        access_counts=access.counts(data.get("access", [])),
        recoveries=recovery_plot.strips(run.get("recoveries", [])),
        harms=declared().harms,
        release=format_release(run),
        statuses=Counter(check["status"] for item in run["checklist"] for check in item["checks"]),
    )
    (out / "index.html").write_text(text, encoding="utf-8")


def _segments(document: DocumentData, documents: Sequence[DocumentData]) -> list[Segment]:
    """The stages of one document on the scale of the longest."""
    whole = max([other["seconds"] for other in documents] + [0.1])
    first: dict[str, float] = {}
    for status, _, at in document["stages"]:
        first.setdefault(status, float(at))
    starts = [*first.items(), ("", document["seconds"])]
    return [
        {
            "stage": stage,
            "begin": begin / whole * 100,
            "width": max(0.4, (end - begin) / whole * 100),
            "seconds": end - begin,
        }
        for (stage, begin), (_, end) in itertools.pairwise(starts)
    ]


def _strip(row: ResponseTime) -> Strip:
    return {
        "row": row,
        "at": {name: _place(value) for name, value in row["figures"].items()},
        "low_at": _place(row["low"]),
        "limits_at": {name: _place(limit) for name, limit in row["limits"].items()},
    }


def _place(milliseconds: float) -> float:
    """Place (percent) on a logarithmic scale from 0.1 ms to 100 s."""
    return min(100.0, max(0.0, (math.log10(max(milliseconds, 0.1)) + 1) / 6 * 100))


def main() -> ExitCode:
    """Draw the page again."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    try:
        draw(out)
    except (OSError, ValueError, KeyError) as error:
        print(f"summary: {out / DATA} cannot be read ({type(error).__name__}); run the gate first", file=sys.stderr)
        return ExitCode.USAGE
    print(f"summary    {out / 'index.html'}")
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
