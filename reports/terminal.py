"""The last lines of the terminal: the verdict, why, and where the report lies."""

from __future__ import annotations

from collections import Counter

from reports.schema import VerdictData

MOST_SHOWN = 4


def format_counts(data: VerdictData) -> str:
    """The number of checks by outcome, in one line."""
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in data["counts"].items() if number)


def closing_lines(data: VerdictData, where: str) -> list[str]:
    """What was left out, the verdict, its first finding with the next step, and every other finding's title."""
    findings = data["findings"]
    lines = _left_out(data)
    lines += [f"also       {finding['component']}: {finding['summary']}" for finding in findings[1:]]
    name, seconds = data["target"]["name"], data["duration_s"]
    lines.append(f"verdict    {data['verdict'].upper()} on {name} in {seconds:.0f} s ({format_counts(data)})")
    if findings:
        top = findings[0]
        mode = f" [{top['failure_mode']}]" if top["failure_mode"] else ""
        lines += [
            f"because    {top['component']}: {top['summary']}{mode}",
            f"expected   {top['expected']} [{top['section']}]",
            f"observed   {top['evidence']}",
            f"next       {top['next_step']}",
        ]
    elif data["verdict"] == "blocked" and data["not_judged"]:
        lines.append("because    --strict: a check that was not judged is no pass")
    lines.append(f"used       {data['used']}")
    lines.append(f"report     {where}/index.html, {where}/checklist.md, {where}/verdict.json")
    return lines


def _left_out(data: VerdictData) -> list[str]:
    skipped = Counter(
        check["observed"] for item in data["checklist"] for check in item["checks"] if check["status"] == "skipped"
    )
    lines = [f"skipped    {number} × {reason}" for reason, number in skipped.most_common(MOST_SHOWN)]
    return lines + [f"not judged {entry['checks']} × {entry['what']}" for entry in data["not_judged"]]
