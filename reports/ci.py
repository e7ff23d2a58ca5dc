"""The verdict where CI shows it: annotations on the log, the job's summary, and the text of a comment.

`python -m reports.ci [FOLDER]` prints annotations in GitHub's form, appends to GITHUB_STEP_SUMMARY where it is set, and writes
`comment.md` for a comment on the pull request.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from gate.settings import ConfigurationError
from reports.text import for_markdown as cell
from reports.verdict import BOXES, read_last

USAGE_ERROR = 4


def _one_line(text: str) -> str:
    """As a workflow command takes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def annotation_lines(data: dict[str, Any]) -> list[str]:
    """One line for each finding; the level is an error, or a warning for what flickers."""
    lines = []
    for finding in data["findings"]:
        told = f"expected {finding['expected']}; observed {finding['evidence']}; next: {finding['next_step']}"
        title = _one_line(f"{finding['component']}: {finding['summary']}").replace(":", "%3A").replace(",", "%2C")
        lines.append(f"::error title={title}::{_one_line(told)}")
    flaky = [check["id"] for item in data["checklist"] for check in item["checks"] if check["status"] == "flaky"]
    return lines + [f"::warning title=flaky::{_one_line(name)}" for name in flaky]


def markdown(data: dict[str, Any]) -> str:
    """The verdict, its findings and the checklist."""
    counts = ", ".join(f"{number} {name}" for name, number in data["counts"].items() if number)
    lines = [
        f"## Release gate: {data['verdict'].upper()}",
        "",
        f"{cell(data['target']['name'])}, release `{cell(data['commit'][:12])}`, {data['duration_s']:.0f} s ({counts})",
    ]
    if data["findings"]:
        lines += ["", "| | finding | expected | observed | next step |", "|---|---|---|---|---|"]
    for number, f in enumerate(data["findings"], 1):
        mode = f" [{f['failure_mode']}]" if f["failure_mode"] else ""
        told = [f"{f['component']}: {f['summary']}{mode}", f["expected"], f["evidence"], f["next_step"]]
        lines.append(f"| {number} | {' | '.join(map(cell, told))} |")
    lines += ["", "<details><summary>Checklist</summary>", ""]
    for item in data["checklist"]:
        lines.append(
            f"- [{BOXES[item['status']]}] {item['id']} {cell(item['title'])}: {item['status']}, {len(item['checks'])} checks"
        )
    return "\n".join([*lines, "", "</details>", ""])


def main() -> int:
    """Show the last run's verdict to CI; the verdict itself is the gate's exit code, not this one's."""
    try:
        out, data = read_last(sys.argv[1:])
    except ConfigurationError as error:
        print(f"ci: {error}", file=sys.stderr)
        return USAGE_ERROR
    text = markdown(data)
    (out / "comment.md").write_text(text, encoding="utf-8")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(text)
    for line in annotation_lines(data):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
