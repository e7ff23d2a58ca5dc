"""Announces a verdict: a Slack-compatible webhook and the commit's status on GitHub.

`python -m reports.notify [FOLDER]`. Set SLACK_WEBHOOK_URL, and GITHUB_TOKEN with GITHUB_REPOSITORY (and GITHUB_API_URL where
it is not github.com) for whichever is wanted; REPORT_URL is linked. What cannot be delivered is said in one line and changes
no verdict: the exit code is 0.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

import httpx
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from gate.exit_codes import ExitCode
from gate.masking import Masking
from gate.settings import ConfigurationError
from reports import change_text
from reports.decision import text as decision_text
from reports.schema import VerdictData
from reports.text import for_slack
from reports.verdict import read_last

ATTEMPTS = 4
SECONDS = 10.0
LONGEST = 140
MOST_FINDINGS = 3
SIGNS = {"pass": ":white_check_mark:", "fail": ":x:", "blocked": ":warning:"}
STATES = {"pass": "success", "fail": "failure", "blocked": "error"}
TEMPORARY = {408, 425, 429, 500, 502, 503, 504}
SECRETS = ("SLACK_WEBHOOK_URL", "GITHUB_TOKEN")
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Delivery:
    """One message on its way."""

    name: str
    url: str
    body: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)


class Message(TypedDict):
    """A message as a Slack-compatible webhook takes it."""

    text: str
    blocks: list[dict[str, object]]


def message(data: VerdictData, report_url: str = "") -> Message:
    """The verdict for a chat: what, where, why, and what to do next."""
    target, findings = data["target"], data["findings"]
    release = for_slack(target["release"][:12])
    lines = [f"{SIGNS[data['verdict']]} *{data['verdict'].upper()}* on {for_slack(target['name'])}, release `{release}`"]
    if "decision" in data:
        link = f" (<{report_url}|why>)" if report_url else ""
        lines.append(f"*decision*: {for_slack(decision_text.sentence(data['decision']))}{link}")
    if "acting" in data:
        lines.append(for_slack(f"*{decision_text.story(data['acting'])[0][1]}*"))
    for finding in findings[:MOST_FINDINGS]:
        lines.append(for_slack(f"• *{finding['component']}*: {finding['title']}\n   next: {finding['next_step']}"))
    if len(findings) > MOST_FINDINGS:
        lines.append(f"• and {len(findings) - MOST_FINDINGS} more")
    if "changes" in data:
        lines.append(for_slack(f"{data['changes']['title']}: {change_text.summary(data['changes'])}"))
    if report_url:
        lines.append(f"<{report_url}|report>")
    text = "\n".join(lines)
    return {"text": text, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]}


def status(data: VerdictData, report_url: str = "") -> dict[str, str]:
    """The verdict as the status of a commit."""
    top = data["findings"][0] if data["findings"] else None
    description = f"{top['component']}: {top['title']}" if top else f"{data['counts']['passed']} checks passed"
    found = {"state": STATES[data["verdict"]], "context": "release-gate", "description": description[:LONGEST]}
    return found | ({"target_url": report_url} if report_url else {})


def commit_of(data: VerdictData) -> str:
    """The commit that was judged: the release, where the target says it as a commit, else the harness's own."""
    release = data["target"]["release"]
    return release if COMMIT.fullmatch(release) else data["harness"]["commit"]


def _is_temporary(error: BaseException) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in TEMPORARY
    return isinstance(error, httpx.TransportError)


def deliver(client: httpx.Client, delivery: Delivery, first_wait: float = 1.0) -> None:
    """POST, again after a temporary failure; raises httpx.HTTPError when it is not accepted."""
    wait = wait_exponential(multiplier=first_wait, max=10 * first_wait)
    attempts = Retrying(stop=stop_after_attempt(ATTEMPTS), wait=wait, retry=retry_if_exception(_is_temporary), reraise=True)
    for attempt in attempts:
        with attempt:
            client.post(delivery.url, json=dict(delivery.body), headers=dict(delivery.headers)).raise_for_status()


def deliveries(data: VerdictData, env: Mapping[str, str]) -> list[Delivery]:
    """What is to be delivered, by what is set."""
    report = env.get("REPORT_URL", "")
    found = []
    if url := env.get("SLACK_WEBHOOK_URL"):
        found.append(Delivery("webhook", url, message(data, report)))
    if (token := env.get("GITHUB_TOKEN")) and (repository := env.get("GITHUB_REPOSITORY")):
        commit = env.get("GITHUB_SHA") or commit_of(data)
        url = f"{env.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{repository}/statuses/{commit}"
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        found.append(Delivery("commit status", url, status(data, report), headers))
    return found


def notify(data: VerdictData, env: Mapping[str, str], first_wait: float = 1.0) -> list[str]:
    """Deliver to every channel that is configured; one line for each, good or bad."""
    masking = Masking()
    for name in SECRETS:
        masking.learn(name, env.get(name))
    data = json.loads(masking.mask(json.dumps(data, ensure_ascii=False)))
    lines = []
    with httpx.Client(timeout=SECONDS) as client:
        for delivery in deliveries(data, env):
            try:
                deliver(client, delivery, first_wait)
                lines.append(f"notified   {delivery.name}")
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = f"{type(error).__name__}: {error}"
                lines.append(masking.mask(f"notified   {delivery.name}: not delivered ({reason}); the verdict stands"))
    return lines or ["notified   no one: set SLACK_WEBHOOK_URL, or GITHUB_TOKEN and GITHUB_REPOSITORY"]


def main() -> ExitCode:
    """Notify about the last run; PASS whether or not it is delivered, USAGE when there is no verdict."""
    try:
        _, data = read_last(sys.argv[1:])
    except ConfigurationError as error:
        print(f"notify: {error}", file=sys.stderr)
        return ExitCode.USAGE
    print("\n".join(notify(data, os.environ)))
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
