"""Tells people of a verdict: a Slack-compatible webhook and the commit's status on GitHub.

`python -m reports.notify [FOLDER]`. Set SLACK_WEBHOOK_URL, and GITHUB_TOKEN with GITHUB_REPOSITORY (and GITHUB_API_URL where
it is not github.com) for whichever is wanted; REPORT_URL is linked. What cannot be delivered is said in one line and changes
no verdict: the exit code is 0.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from gate.masking import learn, mask
from gate.settings import ConfigurationError
from reports.text import for_slack
from reports.verdict import read_last

USAGE_ERROR = 4
TRIES = 4
SECONDS = 10.0
LONGEST = 140
SIGNS = {"pass": ":white_check_mark:", "fail": ":x:", "blocked": ":warning:"}
STATES = {"pass": "success", "fail": "failure", "blocked": "error"}
TEMPORARY = {408, 425, 429, 500, 502, 503, 504}
SECRETS = ("SLACK_WEBHOOK_URL", "GITHUB_TOKEN")


def message(data: Mapping[str, Any], report_url: str = "") -> dict[str, Any]:
    """The verdict for a chat: what, where, why, and what to do next."""
    target = data["target"]["name"]
    lines = [f"{SIGNS[data['verdict']]} *{data['verdict'].upper()}* on {target}, release `{data['commit'][:12]}`"]
    for finding in data["findings"][:3]:
        told = f"• *{finding['component']}*: {finding['summary']}\n   next: {finding['next_step']}"
        lines.append(for_slack(told))
    if len(data["findings"]) > 3:
        lines.append(f"• and {len(data['findings']) - 3} more")
    if report_url:
        lines.append(f"<{report_url}|report>")
    text = mask("\n".join(lines))
    return {"text": text, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]}


def status(data: Mapping[str, Any], report_url: str = "") -> dict[str, str]:
    """The verdict as the status of a commit."""
    top = data["findings"][0] if data["findings"] else None
    told = f"{top['component']}: {top['summary']}" if top else f"{data['counts']['passed']} checks passed"
    found = {"state": STATES[data["verdict"]], "context": "release-gate", "description": mask(told)[:LONGEST]}
    return found | ({"target_url": report_url} if report_url else {})


def _is_temporary(error: BaseException) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in TEMPORARY
    return isinstance(error, httpx.TransportError)


def deliver(
    client: httpx.Client, url: str, body: Mapping[str, Any], headers: Mapping[str, str], first_wait: float = 1.0
) -> None:
    """POST, again after a passing failure; raises httpx.HTTPError when it is not taken."""
    wait = wait_exponential(multiplier=first_wait, max=10 * first_wait)
    for attempt in Retrying(stop=stop_after_attempt(TRIES), wait=wait, retry=retry_if_exception(_is_temporary), reraise=True):
        with attempt:
            client.post(url, json=dict(body), headers=dict(headers)).raise_for_status()


def notify(data: Mapping[str, Any], env: Mapping[str, str], first_wait: float = 1.0) -> list[str]:
    """Deliver to whatever is configured; one line for each, good or bad."""
    for name in SECRETS:
        learn(name, env.get(name))
    report = env.get("REPORT_URL", "")
    work: list[tuple[str, str, dict[str, Any], dict[str, str]]] = []
    if url := env.get("SLACK_WEBHOOK_URL"):
        work.append(("webhook", url, message(data, report), {}))
    if (token := env.get("GITHUB_TOKEN")) and (repository := env.get("GITHUB_REPOSITORY")):
        commit = env.get("GITHUB_SHA") or data["commit"]
        place = f"{env.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{repository}/statuses/{commit}"
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        work.append(("commit status", place, dict(status(data, report)), headers))
    lines = []
    with httpx.Client(timeout=SECONDS) as client:
        for name, url, body, headers in work:
            try:
                deliver(client, url, body, headers, first_wait)
                lines.append(f"notified   {name}")
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                lines.append(mask(f"notified   {name}: not delivered ({type(error).__name__}: {error}); the verdict stands"))
    return lines or ["notified   nobody: set SLACK_WEBHOOK_URL, or GITHUB_TOKEN and GITHUB_REPOSITORY"]


def main() -> int:
    """Notify about the last run; 0 whether or not it is delivered, 4 when there is no verdict."""
    try:
        _, data = read_last(sys.argv[1:])
    except ConfigurationError as error:
        print(f"notify: {error}", file=sys.stderr)
        return USAGE_ERROR
    print("\n".join(notify(data, os.environ)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
