"""The last lines of the terminal: the verdict, why, and where the report lies."""

from __future__ import annotations

from collections import Counter

from reports.schema import FindingData, VerdictData

MOST_SHOWN = 4
# Characters of a commit.
RELEASE_SHOWN = 12


def format_counts(data: VerdictData) -> str:
    """The number of checks by outcome, in one line."""
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in data["counts"].items() if number)


def closing_lines(data: VerdictData, where: str, interrupted: bool = False) -> list[str]:
    """What was left out, the verdict, its first finding with the next step, and every other finding's title.

    `where` is the results folder as it is shown; an `interrupted` run did not run all checks.
    """
    findings = data["findings"]
    lines = _left_out(data)
    target, seconds = data["target"], data["duration_s"]
    judged = f"{target['name']}, release {target['release'][:RELEASE_SHOWN]}"
    lines.append(f"verdict    {data['verdict'].upper()} on {judged}, in {seconds:.0f} s ({format_counts(data)})")
    if interrupted:
        lines.append("note       the run was interrupted: not all checks ran")
    if findings:
        top = findings[0]
        section = f" [{top['section']}]" if top["section"] else ""
        lines += [
            f"because    {_title(top)}",
            f"expected   {top['expected']}{section}",
            f"observed   {top['evidence']}",
            f"next       {top['next_step']}",
        ]
        lines += [f"also       {_title(finding)}" for finding in findings[1:]]
    elif data["verdict"] == "blocked" and data["not_judged"]:
        missing = dict.fromkeys(entry["set"] for entry in data["not_judged"] if entry["set"])
        lines.append("because    --strict: a run in which checks were not judged does not pass")
        if missing:
            lines.append(f"next       set {', '.join(missing)} in the env file or the environment, and run the gate again")
    lines.append(f"used       {data['used']}")
    lines.append(f"report     {where}/index.html, {where}/checklist.md, {where}/verdict.json")
    return lines


def _title(finding: FindingData) -> str:
    mode = f" [{finding['failure_mode']}]" if finding["failure_mode"] else ""
    return f"{finding['component']}: {finding['summary']}{mode}"


def _left_out(data: VerdictData) -> list[str]:
    skipped = Counter(
        check["observed"] for item in data["checklist"] for check in item["checks"] if check["status"] == "skipped"
    )
    lines = [f"skipped    {number} × {reason}" for reason, number in skipped.most_common(MOST_SHOWN)]
    return lines + [f"not judged {entry['checks']} × {entry['what']}" for entry in data["not_judged"]]
