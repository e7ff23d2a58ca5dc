"""The decision in words: for the terminal, for a page, and for messages."""

from __future__ import annotations

from gate.acting import WORDS
from reports.decision.schema import ActingData, DecisionData, IssueData
from reports.schema import VerdictData

NOT_DONE = {
    "begun": "was begun, and the run ended before it was known what became of it",
    "failed": "FAILED",
    "refused": "was NOT carried out",
    "superseded": "was not carried out, because what is live is no longer what was judged",
    "interrupted": "was interrupted, and what became of it is not known",
}


def action_of(decision: DecisionData) -> str:
    """The decision in capitals."""
    return WORDS[decision["action"]].upper()


def sentence(decision: DecisionData) -> str:
    """The decision and the rule that made it."""
    return f"{action_of(decision)} by the rule “{decision['rule']}” ({decision['policy']})"


def lines(data: VerdictData) -> list[tuple[str, str]]:
    """Labels and texts: the decision with the findings that made it, known and expired issues, and what was carried out."""
    decision = data.get("decision")
    found: list[tuple[str, str]] = []
    if decision is not None:
        found.append(("decision", sentence(decision) + _because(decision["because"], data)))
        found += [("known", f"{_issue(issue, data)}; does not count until {issue['expires']}") for issue in decision["known"]]
        found += [("expired", f"{_issue(issue, data)}; counts again since {issue['expires']}") for issue in decision["expired"]]
    if (acting := data.get("acting")) is not None:
        found += story(acting)
    found += [("unfinished", text) for text in data.get("unfinished", [])]
    return found


def story(acting: ActingData) -> list[tuple[str, str]]:
    """How the decision was carried out, step by step, and what judging again has shown."""
    word = WORDS[acting["action"]]
    reason = f": {acting['reason']}" if acting["reason"] else ""
    found = [("acted", f"{word} {NOT_DONE.get(acting['state'], 'was carried out')}{reason}")]
    for step in acting["steps"]:
        detail = f": {step['detail']}" if step["detail"] else ""
        state = "" if step["state"] == "done" else f" {step['state'].upper()}"
        found.append(("step", f"{step['at'][11:19]} {step['name']}{state}{detail} ({step['seconds']:.1f} s)"))
    if (after := acting["after"]) is not None:
        what = f" ({'; '.join(after['findings'])})" if after["findings"] else ""
        shown = (after["verdict"] or "no verdict").upper()
        found.append(("afterwards", f"{shown} on release {after['release'][:12]}{what}, in {after['report']}"))
    return found


def _because(because: list[str], data: VerdictData) -> str:
    numbers = ranks(because, data)
    return f", because of finding{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}" if numbers else ""


def _issue(issue: IssueData, data: VerdictData) -> str:
    numbers = ", ".join(map(str, ranks(issue["findings"], data)))
    return f"{issue['id']} ({issue['owner']}: {issue['reason']}), finding {numbers}"


def ranks(identifiers: list[str], data: VerdictData) -> list[int]:
    """The numbers of these findings."""
    return [finding["rank"] for finding in data["findings"] if finding["id"] in identifiers]
