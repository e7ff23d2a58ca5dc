"""The last lines of the terminal: the verdict, every finding's title, the first in full, and where the report lies."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence

from gate.exit_codes import ExitCode
from reports import change_text, recovery_plot
from reports.change_schema import ChangesData
from reports.decision import text as decision_text
from reports.schema import FindingData, VerdictData
from reports.timeline import telling

MOST_SHOWN = 4
# Characters of a commit.
RELEASE_SHOWN = 12
# Characters of a line of the first finding.
WIDTH = 118
MOST_LINES = 3
NOTES: dict[int, str] = {
    ExitCode.INTERRUPTED: "the run was interrupted: not all checks ran",
    ExitCode.INTERNAL_ERROR: "the run broke on an error of its own (INTERNALERROR above): not all checks ran",
}
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def format_counts(data: VerdictData) -> str:
    """The number of checks by outcome, in one line."""
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in data["counts"].items() if number)


def format_release(data: VerdictData) -> str:
    """The release that is live and who says so: "version 1.0.0, commit 4e02…, platform unknown"."""
    shown = {entry["source"]: entry["value"] for entry in data["target"]["releases"]}
    # Versions are names, the rest are commits.
    return ", ".join(f"{who} {value if who == 'version' else value[:RELEASE_SHOWN]}" for who, value in shown.items())


def format_title(finding: FindingData) -> str:
    """Component, title and failure mode of a finding."""
    mode = f" [{finding['failure_mode']}]" if finding["failure_mode"] else ""
    return f"{finding['component']}: {finding['title']}{mode}"


def closing_lines(data: VerdictData, where: str, ended: int = ExitCode.PASS, *, further: Sequence[str] = ()) -> list[str]:
    """What was left out, the verdict, every finding's title in order, the first in full.

    `where` is the results folder as it is shown, `ended` is the exit status, `further` are pages that not every run has.
    """
    lines = _left_out(data)
    target, seconds = data["target"], data["duration_s"]
    lines.append(f"verdict    {data['verdict'].upper()} on {target['name']}, in {seconds:.0f} s ({format_counts(data)})")
    lines.append(f"release    {format_release(data)}")
    if ended in NOTES:
        lines += _wrapped("note", NOTES[ended])
    if data["findings"]:
        lines += _findings(data["findings"])
        if note := data.get("platform"):
            lines += _wrapped("note", note)
    elif data["verdict"] == "blocked" and data["not_judged"]:
        lines.append("because    --strict: a run in which checks were not judged does not pass")
    if "changes" in data:
        lines += _changes(data["changes"])
    for label, text in recovery_plot.lines(data.get("recoveries", [])):
        lines += _wrapped(label, text)
    lines += _wrapped("used", data["used"])
    for label, text in decision_text.lines(data):
        lines += _wrapped(label, text)
    pages = ("index.html", *further, "checklist.md", "verdict.json")
    lines.append(f"report     {', '.join(f'{where}/{page}' for page in pages)}")
    # What the target says of itself must not command the terminal.
    return ["".join(character if character.isprintable() else " " for character in line) for line in lines]


def _findings(findings: list[FindingData]) -> list[str]:
    top = findings[0]
    section = f" [{top['section']}]" if top["section"] else ""
    lines = _wrapped("because", f"1. {format_title(top)}")
    lines += _wrapped("expected", f"{top['expected']}{section}")
    lines += _wrapped("observed", f"{top['evidence']}{_again(top)}")
    if (entry := telling(top)) is not None:
        lines += _wrapped("log", f"{entry['source']} {entry['time'][11:19]} {entry['text']}{_times(entry['count'])}")
    lines += _wrapped("next", top["next_step"].removesuffix(f": {top['command']}") if top["command"] else top["next_step"])
    if top["command"]:
        lines.append(f"run        {top['command']}")
    for finding in findings[1:]:
        lines += _wrapped("also", f"{finding['rank']}. {format_title(finding)}{_again(finding)}")
    return lines


def _times(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""


def _changes(changes: ChangesData) -> list[str]:
    found = _wrapped("calendar", f"{changes['title']} ({changes['calendar']}): {change_text.summary(changes)}")
    for label, text in change_text.lines(changes):
        found += _wrapped(label, text)
    return found


def _again(finding: FindingData) -> str:
    seen = next((fact["again"] for fact in finding["facts"] if fact["again"]), "")
    return f" (run again: failed {seen})" if seen else ""


def _wrapped(label: str, text: str) -> list[str]:
    parts = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False, max_lines=MOST_LINES, placeholder=" …")
    return [f"{label if number == 0 else '':<10} {part}" for number, part in enumerate(parts or [""])]


def _left_out(data: VerdictData) -> list[str]:
    skipped = Counter(
        check["observed"] for item in data["checklist"] for check in item["checks"] if check["status"] == "skipped"
    )
    lines = [f"skipped    {number} × {reason}" for reason, number in skipped.most_common(MOST_SHOWN)]
    if rest := sum(number for _, number in skipped.most_common()[MOST_SHOWN:]):
        lines.append(f"skipped    and {rest} more, in checklist.md")
    return lines + [
        f"not judged {format_not_judged(entry['checks'], entry['what'], entry['set'])}" for entry in data["not_judged"]
    ]


def format_not_judged(checks: int, what: str, setting: str) -> str:
    """What was missing, what to set, and how many checks were not judged without it.

    A program or a network that is missing is no setting: `what` says what to do.
    """
    is_setting = VARIABLE.fullmatch(setting) is not None
    remedy = f"; set {setting} in the env file or the environment" if is_setting and setting not in what else ""
    return f"{checks} check{'s' if checks != 1 else ''}: {what}{remedy}"
