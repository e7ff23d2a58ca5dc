"""The verdict where CI shows it: annotations on the log, the job's summary, and the text of a comment.

`python -m reports.ci [FOLDER]` prints annotations in GitHub's form, appends to GITHUB_STEP_SUMMARY where it is set, and writes
`comment.md` for a comment on the pull request. REPORT_URL is linked beside the decision,
which becomes an output of the step (`decision`, `rule`) where GITHUB_OUTPUT is set.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gate.exit_codes import ExitCode
from gate.settings import ConfigurationError
from reports import change_text
from reports.checklist import BOXES
from reports.decision import text as decision_text
from reports.decision.github import write_outputs
from reports.schema import FindingData, VerdictData
from reports.terminal import format_counts
from reports.text import for_markdown as cell
from reports.verdict import read_last


def _one_line(text: str) -> str:
    """As a workflow command takes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def annotation_lines(data: VerdictData) -> list[str]:
    """An error for each finding, and a warning for each setting without which checks were not judged."""
    lines = []
    for finding in data["findings"]:
        message = f"expected {finding['expected']}; observed {finding['evidence']}; next: {finding['next_step']}"
        title = _one_line(f"{finding['component']}: {finding['title']}").replace(":", "%3A").replace(",", "%2C")
        lines.append(f"::error title={title}::{_one_line(message)}")
    if "decision" in data:
        lines.append(f"::notice title=decision::{_one_line(decision_text.sentence(data['decision']))}")
    for entry in data["not_judged"]:
        message = f"{entry['checks']} checks: {entry['what']}"
        lines.append(f"::warning title=not judged::{_one_line(message)}")
    return lines


def format_markdown(data: VerdictData, report_url: str = "") -> str:
    """The verdict, the decision with a link to its report, the findings and the checklist."""
    target = data["target"]
    lines = [
        f"## Release gate: {data['verdict'].upper()}",
        "",
        f"{cell(target['name'])}, release `{cell(target['release'][:12])}`, {data['duration_s']:.0f} s ({format_counts(data)})",
    ]
    lines += _decision(data, report_url)
    if data["findings"]:
        lines += ["", "| | finding | expected | observed | next step |", "|---|---|---|---|---|"]
        lines += [_finding_row(number, finding) for number, finding in enumerate(data["findings"], 1)]
    if "changes" in data:
        lines += ["", f"**{cell(data['changes']['title'])}**: {cell(change_text.summary(data['changes']))}", ""]
        lines += [f"- {label}: {cell(text)}" for label, text in change_text.lines(data["changes"])]
    if data["not_judged"]:
        lines += ["", *(f"- not judged: {entry['checks']} checks, {cell(entry['what'])}" for entry in data["not_judged"])]
    lines += ["", "<details><summary>Checklist</summary>", ""]
    for item in data["checklist"]:
        number = len(item["checks"])
        lines.append(f"- [{BOXES[item['status']]}] {item['id']} {cell(item['title'])}: {item['status']}, {number} checks")
    return "\n".join([*lines, "", "</details>", ""])


def _decision(data: VerdictData, report_url: str) -> list[str]:
    found = decision_text.lines(data)
    if "decision" not in data or not found:
        return []
    link = f" ([report]({report_url}))" if report_url else ""
    (_, first), *rest = found
    return ["", f"**Decision: {cell(first)}**{link}", "", *(f"- {label}: {cell(text)}" for label, text in rest)]


def _finding_row(number: int, finding: FindingData) -> str:
    mode = f" [{finding['failure_mode']}]" if finding["failure_mode"] else ""
    summary = f"{finding['component']}: {finding['title']}{mode}"
    cells = map(cell, (summary, finding["expected"], finding["evidence"], finding["next_step"]))
    return f"| {number} | {' | '.join(cells)} |"


def main() -> ExitCode:
    """Show the last run's verdict to CI; the verdict itself is the gate's exit code, not this one's."""
    try:
        out, data = read_last(sys.argv[1:])
    except ConfigurationError as error:
        print(f"ci: {error}", file=sys.stderr)
        return ExitCode.USAGE
    text = format_markdown(data, os.environ.get("REPORT_URL", ""))
    (out / "comment.md").write_text(text, encoding="utf-8")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(text)
    if outputs := os.environ.get("GITHUB_OUTPUT"):
        write_outputs(data, Path(outputs))
    for line in annotation_lines(data):
        print(line)
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
