"""The verdict of a run: one JSON file for machines, a checklist for people, a few lines for the terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fixtures import budget
from gate.session import Session
from gate.settings import ConfigurationError
from reports.model import Check, Finding, Verdict
from reports.text import for_markdown

OUT = Path(__file__).resolve().parent / "out"
EXIT_CODES: dict[Verdict, int] = {"pass": 0, "fail": 1, "blocked": 6}
BOXES = {"passed": "x", "failed": "✗", "blocked": "▪", "skipped": "-", "flaky": "~", "not run": " "}
MOST_SHOWN = 4
ORDER = ("failed", "blocked", "flaky", "passed", "skipped")


def read_last(arguments: Sequence[str]) -> tuple[Path, dict[str, Any]]:
    """Folder and verdict of the last run, or of the folder named first; raises ConfigurationError when there is none."""
    path = (Path(arguments[0]) if arguments else OUT) / "verdict.json"
    try:
        return path.parent, json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read ({type(error).__name__}); run the gate first") from error


def decide(checks: Sequence[Check], findings: Sequence[Finding]) -> Verdict:
    """fail: a promise is broken. blocked: the target could not be judged. pass: neither."""
    if any(check.outcome == "failed" for check in checks):
        return "fail"
    blocked = [check for check in checks if check.outcome == "blocked"]
    if not blocked:
        return "fail" if findings else "pass"
    # A part that refuses while the target answers is a broken promise; a target that does not answer is no judgement.
    # A run that used up its budget did not look at the rest either.
    unreachable = {check.blocked_by for check in blocked} & {"api", "budget", "target"}
    nothing_left = all(check.outcome in ("blocked", "skipped") for check in checks)
    return "blocked" if unreachable or nothing_left else "fail"


def status_of(checks: Sequence[Check]) -> str:
    """One word for a checklist item: the worst of its checks."""
    outcomes = {check.outcome for check in checks}
    return next((name for name in ORDER if name in outcomes), "not run")


def build(
    session: Session, checks: Sequence[Check], findings: Sequence[Finding], verdict: Verdict, started_at: str, seconds: float
) -> dict[str, Any]:
    """The content of verdict.json."""
    counts = Counter(check.outcome for check in checks)
    return {
        "verdict": verdict,
        "target": {
            "kind": run.kind,
            "name": run.settings.harness_target_name,
            "api_base_url": run.settings.api_base_url,
            "faults": list(run.faults),
        },
        "run_id": run.run_id,
        "commit": run.release,
        "started_at": started_at,
        "duration_s": round(seconds, 1),
        "counts": {name: counts.get(name, 0) for name in ("passed", "failed", "flaky", "skipped", "blocked")},
        "checklist": [_item(run, entry.id, entry.title, checks) for entry in run.spec.checklist],
        "findings": [finding.as_dict() for finding in findings],
        "budget": budget.as_data(used := Budget(run).used(), limits := Budget(run).limits),
        "used": used.told(limits),
    }


def _item(session: Session, item_id: str, title: str, checks: Sequence[Check]) -> dict[str, Any]:
    own = [check for check in checks if check.checklist == item_id]
    shown = [
        {"id": c.nodeid, "status": c.outcome, "promise": c.promise, "observed": c.evidence, "seconds": round(c.duration, 3)}
        for c in own
    ]
    return {"id": item_id, "title": title, "status": status_of(own), "checks": shown}


def checklist_markdown(data: dict[str, Any], suites: dict[str, str]) -> str:
    """The specification's own checklist with its boxes filled in, and the checks behind each."""
    lines = [
        f"# Checklist of run {data['run_id']}",
        "",
        f"Verdict **{data['verdict']}** on {data['target']['name']} ({data['target']['api_base_url']}), {data['started_at']}",
        "",
        "`[x]` passed, `[✗]` failed, `[▪]` blocked, `[-]` skipped, `[ ]` not run",
    ]
    suite = ""
    for item in data["checklist"]:
        if suites[item["id"]] != suite:
            suite = suites[item["id"]]
            lines += ["", f"## {suite}"]
        count = Counter(check["status"] for check in item["checks"])
        told = ", ".join(f"{count[name]} {name}" for name in ORDER if count[name]) or "no checks ran"
        lines += ["", f"- [{BOXES[item['status']]}] **{item['id']} {item['title']}**: {told}"]
        for check in item["checks"]:
            name = check["id"].rpartition("::")[2]
            detail = f": {check['observed']}" if check["status"] != "passed" and check["observed"] else ""
            lines.append(f"  - [{BOXES[check['status']]}] `{name.replace('`', ' ')}` {for_markdown(check['promise'] + detail)}")
    return "\n".join(lines) + "\n"


def closing_lines(data: dict[str, Any], where: str) -> list[str]:
    """The last lines of the terminal: findings, the verdict with the top finding, and where the report lies."""
    counts = ", ".join(f"{number} {name}" for name, number in data["counts"].items() if number)
    skipped = Counter(c["observed"] for item in data["checklist"] for c in item["checks"] if c["status"] == "skipped")
    lines = [f"skipped    {number} × {reason}" for reason, number in skipped.most_common(MOST_SHOWN)]
    for finding in data["findings"][1:4]:
        lines.append(f"also       {finding['component']}: {finding['summary']}")
    if len(data["findings"]) > 4:
        lines.append(f"also       {len(data['findings']) - 4} more findings in {where}/verdict.json")
    lines.append(f"verdict    {data['verdict'].upper()} on {data['target']['name']} in {data['duration_s']:.0f} s ({counts})")
    if data["findings"]:
        top = data["findings"][0]
        mode = f" [{top['failure_mode']}]" if top["failure_mode"] else ""
        lines += [
            f"because    {top['component']}: {top['summary']}{mode}",
            f"expected   {top['expected']} [{top['section']}]",
            f"observed   {top['evidence']}",
            f"next       {top['next_step']}",
        ]
    if used := data.get("used"):
        lines.append(f"used       {used}")
    lines.append(f"report     {where}/index.html, {where}/checklist.md, {where}/verdict.json")
    return lines
