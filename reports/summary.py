"""The summary page `reports/out/index.html`: one look tells. Drawn from `summary.json`, which every run leaves.

`python -m reports.summary [FOLDER]` draws it again, when Allure's report or a load report has come beside it.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from gate.masking import mask
from gate.session import Session
from reports.model import Check

HERE = Path(__file__).resolve().parent
USUAL_OUT = HERE / "out"
TREND = 30
SLOWEST = 8
DATA = "summary.json"
HEADLINES = {
    "pass": ("PASS", "The release keeps every promise that was checked."),
    "fail": ("FAIL", "A promise of the specification is broken."),
    "blocked": ("BLOCKED", "The target could not be judged."),
}
LINKS = (
    ("allure-report/index.html", "Allure report: every check with its requests, answers and SQL"),
    ("load/smoke.html", "Load report: response times over time"),
    ("load/nightly.html", "Nightly load report"),
    ("load/stress.html", "Stress: the knee"),
    ("load/worker.html", "Worker under load"),
    ("checklist.md", "Checklist as text"),
    ("junit.xml", "JUnit"),
    ("verdict.json", "Verdict for machines"),
)
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(default=True),
    trim_blocks=True,
    lstrip_blocks=True,
)


def history_folder(out: Path) -> Path:
    """Where the history of runs with this results folder is kept: outside of what the next run clears."""
    return HERE / "history" if out.resolve() == USUAL_OUT else out / "history"


def collect(session: Session, data: dict[str, Any], checks: Sequence[Check]) -> dict[str, Any]:
    """What the page shows beyond the verdict: documents, response times, the slowest checks."""
    slowest = sorted(checks, key=lambda check: check.duration, reverse=True)[:SLOWEST]
    return data | {
        "documents": _documents(run),
        "document_limit_s": run.document_seconds,
        "samples": _samples(run),
        "slowest": [[check.name, round(check.duration, 2)] for check in slowest],
        "suites": {entry.id: entry.suite for entry in run.spec.checklist},
        "speedup": run.settings.harness_speedup,
    }


def _documents(session: Session) -> list[dict[str, Any]]:
    found = []
    for path in sorted((run.folder / "document_runs").glob("*.json")):
        document_run = json.loads(path.read_text())
        found.append({key: document_run[key] for key in ("name", "outcome", "seconds", "stages", "retry_count")})
    return sorted(found, key=lambda document_run: -float(document_run["seconds"]))


def _samples(session: Session) -> list[dict[str, Any]]:
    found = []
    for path in sorted((run.folder / "samples").glob("*.json")):
        sample = json.loads(path.read_text())
        target = run.spec.targets[sample["target"]]
        limits = {"median": target.median_ms, "mean": target.mean_ms, "p95": target.p95_ms, "max": target.max_ms}
        figures = {name.removesuffix("_ms"): value for name, value in sample["figures"].items()}
        values = sorted(sample["milliseconds"])
        found.append(
            {
                "name": sample["name"],
                "section": target.section,
                "count": len(values),
                "figures": figures,
                "low": values[0],
                "limits": {name: limit for name, limit in limits.items() if limit is not None},
                "broken": [name for name, limit in limits.items() if limit is not None and figures[name] >= limit],
            }
        )
    return found


def remember(out: Path, data: dict[str, Any]) -> None:
    """Add one run to the history."""
    folder = history_folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    top = data["findings"][0] if data["findings"] else None
    line = {
        "run_id": data["run_id"],
        "started_at": data["started_at"],
        "verdict": data["verdict"],
        "duration_s": data["duration_s"],
        "target": data["target"]["name"],
        "commit": data["commit"],
        "counts": data["counts"],
        "top": f"{top['component']}: {top['summary']}" if top else "",
    }
    with (folder / "verdicts.jsonl").open("a", encoding="utf-8") as file:
        file.write(mask(json.dumps(line, ensure_ascii=False)) + "\n")


def trend(out: Path, target: str) -> list[dict[str, Any]]:
    """The last runs against this target, oldest first; a line that cannot be read is passed over."""
    path = history_folder(out) / "verdicts.jsonl"
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("target") == target:
            found.append(entry)
    return found[-TREND:]


def write(out: Path, data: dict[str, Any]) -> None:
    """Leave the data and draw the page."""
    (out / DATA).write_text(mask(json.dumps(data, ensure_ascii=False)), encoding="utf-8")
    draw(out)


def draw(out: Path) -> None:
    """Draw the page from the data that a run left; raises FileNotFoundError when there is none."""
    data = json.loads((out / DATA).read_text(encoding="utf-8"))
    title, sentence = HEADLINES[data["verdict"]]
    runs = trend(out, data["target"]["name"])
    content = {
        "data": data,
        "headline": title,
        "sentence": sentence,
        "links": [(path, text) for path, text in LINKS if (out / path).exists()],
        "trend": runs,
        "longest": max((run["duration_s"] for run in runs), default=1) or 1,
        "documents": [_timeline(document, data) for document in data["documents"]],
        "samples": [_strip(sample) for sample in data["samples"]],
        "statuses": Counter(check["status"] for item in data["checklist"] for check in item["checks"]),
    }
    (out / "index.html").write_text(mask(TEMPLATES.get_template("index.html.j2").render(**content)), encoding="utf-8")


def _timeline(document: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Segments of one document's way in percent of the longest."""
    whole = max([float(other["seconds"]) for other in data["documents"]] + [0.1])
    first: dict[str, float] = {}
    for status, _, at in document["stages"]:
        first.setdefault(status, float(at))
    starts = [*first.items(), ("", float(document["seconds"]))]
    segments = [
        {"stage": stage, "from": begin / whole * 100, "width": max(0.4, (end - begin) / whole * 100), "seconds": end - begin}
        for (stage, begin), (_, end) in itertools.pairwise(starts)
    ]
    return document | {"segments": segments}


def _strip(sample: dict[str, Any]) -> dict[str, Any]:
    """Places (percent) of the figures and limits on a logarithmic scale from 0.1 ms to 100 s."""

    def place(milliseconds: float) -> float:
        return min(100.0, max(0.0, (math.log10(max(milliseconds, 0.1)) + 1) / 6 * 100))

    figures = sample["figures"]
    return sample | {
        "at": {name: place(value) for name, value in figures.items()},
        "low_at": place(sample["low"]),
        "limits_at": {name: place(limit) for name, limit in sample["limits"].items()},
    }


def main() -> int:
    """Draw the page again; returns the exit code."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else USUAL_OUT
    try:
        draw(out)
    except (OSError, ValueError, KeyError) as error:
        print(f"summary: {out / DATA} cannot be read ({type(error).__name__}); run the gate first", file=sys.stderr)
        return 4
    print(f"summary    {out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
