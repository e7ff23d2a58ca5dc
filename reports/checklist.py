"""checklist.md: the specification's own checklist with its boxes filled in, and the checks behind each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from reports.schema import ItemData, VerdictData
from reports.terminal import RELEASE_SHOWN
from reports.text import for_markdown
from reports.verdict import ORDER

BOXES = {"passed": "x", "failed": "✗", "blocked": "▪", "not judged": "?", "skipped": "-", "not run": " "}
LEGEND = "`[x]` passed, `[✗]` failed, `[▪]` blocked, `[?]` not judged, `[-]` skipped, `[ ]` not run"


def format_checklist(data: VerdictData, suites: Mapping[str, str]) -> str:
    """The checklist as Markdown; `suites` names the suite of each item."""
    target = data["target"]
    lines = [
        f"# Checklist of run {data['run_id']}",
        "",
        f"Verdict **{data['verdict']}** on {target['name']} ({target['api_base_url']}), "
        f"release {for_markdown(target['release'][:RELEASE_SHOWN])}, {data['started_at']}",
        "",
        LEGEND,
    ]
    suite = ""
    for item in data["checklist"]:
        if suites[item["id"]] != suite:
            suite = suites[item["id"]]
            lines += ["", f"## {suite}"]
        lines += _item_lines(item)
    return "\n".join(lines) + "\n"


def _item_lines(item: ItemData) -> list[str]:
    count = Counter(check["status"] for check in item["checks"])
    numbers = ", ".join(f"{count[name]} {name}" for name in ORDER if count[name]) or "no checks ran"
    lines = ["", f"- [{BOXES[item['status']]}] **{item['id']} {item['title']}**: {numbers}"]
    first: dict[str, str] = {}
    for check in item["checks"]:
        name = check["id"].rpartition("::")[2]
        detail = f": {check['observed']}" if check["observed"] else ""
        if detail and check["status"] != "passed" and first.setdefault(detail, name) != name:
            detail = f": as {first[detail]}"
        lines.append(f"  - [{BOXES[check['status']]}] `{name.replace('`', ' ')}` {for_markdown(check['promise'] + detail)}")
    return lines
