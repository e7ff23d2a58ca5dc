"""Reviews a deployment that waits at a custom protection rule of GitHub, by the decision of the last run.

`python -m reports.decision.github [FOLDER]`. Set GITHUB_TOKEN (an installation token of the App whose rule it is),
DEPLOYMENT_REPOSITORY (OWNER/NAME), DEPLOYMENT_RUN (the id of the workflow run that waits) and DEPLOYMENT_ENVIRONMENT;
REPORT_URL is linked. promote approves and roll back rejects the deployment; hold comments, and it goes on waiting for a person.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from gate.exit_codes import ExitCode
from gate.masking import Masking
from gate.settings import ConfigurationError
from reports.decision import text
from reports.notify import SECONDS, Delivery, deliver
from reports.schema import VerdictData
from reports.terminal import format_title
from reports.text import for_markdown
from reports.verdict import read_last

NEEDED = ("GITHUB_TOKEN", "DEPLOYMENT_REPOSITORY", "DEPLOYMENT_RUN", "DEPLOYMENT_ENVIRONMENT")
STATES = {"promote": "approved", "roll_back": "rejected"}
VERSION = "2022-11-28"
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
MOST_FINDINGS = 3


def review(data: VerdictData, environment: str, report_url: str = "") -> dict[str, str]:
    """The body of a review: without a state it is a comment, and the deployment waits on."""
    decision = data.get("decision")
    if decision is None:
        return {"environment_name": environment, "comment": "The release gate came to no decision."}
    lines = [f"Release gate: {for_markdown(text.sentence(decision))}"]
    lines += [f"{finding['rank']}. {for_markdown(format_title(finding))}" for finding in data["findings"][:MOST_FINDINGS]]
    lines += [f"[report]({report_url})"] if report_url else []
    found = {"environment_name": environment, "comment": "\n".join(lines)}
    state = STATES.get(decision["action"])
    return found | ({"state": state} if state else {})


def delivery(data: VerdictData, env: Mapping[str, str]) -> Delivery:
    """The review on its way; raises ConfigurationError naming what is missing."""
    if missing := [name for name in NEEDED if not env.get(name)]:
        raise ConfigurationError(f"{', '.join(missing)}: missing")
    repository, run = env["DEPLOYMENT_REPOSITORY"], env["DEPLOYMENT_RUN"]
    if not REPOSITORY.fullmatch(repository):
        raise ConfigurationError("DEPLOYMENT_REPOSITORY: not of the form OWNER/NAME")
    if not run.isdecimal():
        raise ConfigurationError("DEPLOYMENT_RUN: not the number of a workflow run")
    base = env.get("GITHUB_API_URL", "https://api.github.com")
    headers = {
        "Authorization": f"Bearer {env['GITHUB_TOKEN']}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": VERSION,
    }
    body = review(data, env["DEPLOYMENT_ENVIRONMENT"], env.get("REPORT_URL", ""))
    url = f"{base}/repos/{repository}/actions/runs/{run}/deployment_protection_rule"
    return Delivery("deployment review", url, body, headers)


def main() -> ExitCode:
    """Review the deployment; FAIL where GitHub does not take it: then it goes on waiting."""
    masking = Masking()
    masking.learn("GITHUB_TOKEN", os.environ.get("GITHUB_TOKEN"))
    try:
        _, data = read_last(sys.argv[1:])
        found = delivery(data, os.environ)
    except ConfigurationError as error:
        print(f"review: {error}", file=sys.stderr)
        return ExitCode.USAGE
    try:
        with httpx.Client(timeout=SECONDS) as client:
            deliver(client, found)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        print(masking.mask(f"review: not delivered ({type(error).__name__}: {error}); the deployment goes on waiting"))
        return ExitCode.FAIL
    print(f"review     {found.body.get('state', 'comment only')} for {found.body['environment_name']}")
    return ExitCode.PASS


def write_outputs(data: VerdictData, path: Path) -> None:
    """Leave the decision and its rule as outputs of a step of GitHub's."""
    decision = data.get("decision")
    if decision is not None:
        rule = " ".join(decision["rule"].split())
        with path.open("a", encoding="utf-8") as file:
            file.write(f"decision={decision['action']}\nrule={rule}\n")


if __name__ == "__main__":
    sys.exit(main())
