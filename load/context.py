"""What the load's tasks need: the run, accounts, documents, and a place for the measurements."""

from __future__ import annotations

import json
import logging
import math
import os
import secrets
import sys
from collections import defaultdict
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

from fixtures import settings, sweep
from fixtures.answers import Answer
from fixtures.api import upload_body
from fixtures.documents import Document, make
from fixtures.http import Reply, shared_client
from fixtures.journeys import Journeys
from fixtures.options import DEFAULT_ENV_FILE
from fixtures.registry import Registry
from fixtures.run import STATE, Run, new_run_id
from fixtures.supabase import Supabase
from fixtures.users import User, Users
from load.open_loop import Measured
from spec import current
from spec.model import DocumentKind

FOLDER_VARIABLE = "HARNESS_RUN_FOLDER"
ENV_FILE_VARIABLE = "HARNESS_ENV_FILE"
PROFILE_VARIABLE = "LOAD_PROFILE"
NO_DOCUMENT = "Which documents do you have of mine?"
PAGE = DocumentKind(kind="policy", outcome="complete")
SPARE = 2.0


def chosen_profile(arguments: list[str]) -> str:
    """The profile named on the command line or in the environment, or an empty string."""
    for position, argument in enumerate(arguments):
        if argument == "--arrivals":
            return arguments[position + 1] if position + 1 < len(arguments) else ""
        if argument.startswith("--arrivals="):
            return argument.partition("=")[2]
    return os.environ.get(PROFILE_VARIABLE, "")


class Context:
    """One load run. `owned` is true when it was started by hand and cleans up after itself."""

    def __init__(self, run: Run, owned: bool, profile: str) -> None:
        self.run = run
        self.owned = owned
        self.profile = profile
        self.measured: Measured | None = None
        self.milliseconds: dict[str, list[float]] = defaultdict(list)
        self.service: dict[str, list[float]] = defaultdict(list)
        self.failures: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        # Its lines would show signed URLs.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        supabase = Supabase(run)
        supabase.anon.quiet = supabase.admin.quiet = True
        self._users = Users(run, supabase, Registry(run))
        self._accounts: list[User] = []
        self._uploaders: list[User] = []
        self._turn = cycle([0])

    @classmethod
    def from_environment(cls) -> Context:
        """The run that the gate started, or one of its own; raises ConfigurationError when no target is named."""
        profile = chosen_profile(sys.argv)
        if profile and profile not in current().load.profiles:
            raise settings.ConfigurationError(f"--arrivals {profile}: not one of {', '.join(current().load.profiles)}")
        if folder := os.environ.get(FOLDER_VARIABLE):
            return cls(Run.read(Path(folder)), owned=False, profile=profile)
        path = Path(os.environ.get(ENV_FILE_VARIABLE, DEFAULT_ENV_FILE))
        values = (settings.read_env_file(path) if path.exists() else {}) | settings.from_process(current())
        run_id = new_run_id()
        run = Run(run_id, "live", False, (STATE / run_id).resolve(), values, values)
        if suspects := settings.production_markers(values, run.spec):
            raise settings.ConfigurationError(f"{', '.join(suspects)}: looks like production")
        run.learn_secrets()
        run.save()
        return cls(run, owned=True, profile=profile)

    def prepare(self, requests: int) -> None:
        """Create the accounts before the first request, so that no measurement waits for one."""
        load = self.run.spec.load
        share = load.tasks["upload"].weight / sum(task.weight for task in load.tasks.values())
        each = self.run.spec.limits.max_concurrent_jobs_per_user
        for _ in range(load.users):
            self.account()
        for _ in range(math.ceil(SPARE * share * requests / each) + 1):
            self._uploaders += [self._users.new("load")] * each

    def account(self) -> User:
        """Somebody who is signed in, in turns."""
        if len(self._accounts) < self.run.spec.load.users:
            self._accounts.append(self._users.new("load"))
            self._turn = cycle(range(len(self._accounts)))
            return self._accounts[-1]
        return self._accounts[next(self._turn)]

    def document(self) -> tuple[User, Document, dict[str, Any]]:
        """A new document, somebody who may still upload one, and the body of the request."""
        if not self._uploaders:
            self._uploaders += [self._users.new("load")] * self.run.spec.limits.max_concurrent_jobs_per_user
        document = make(f"load-{secrets.token_hex(3)}", PAGE, self.run.run_id, [])
        return self._uploaders.pop(), document, upload_body(self.run, document)

    def question(self) -> tuple[str, str]:
        """A question, and the token of somebody whose document answers it, where there is one."""
        policy = Journeys(self.run).look("policy")
        if policy is not None and policy.outcome == "complete":
            return policy.owner.token, policy.facts[0][0]
        return self.account().token, NO_DOCUMENT

    def send(self, signed_url: str, body: bytes) -> None:
        """Send a document's bytes to storage; storage's time is not the API's."""
        url = signed_url if signed_url.startswith("http") else self.run.settings.api_base_url + signed_url
        mime = self.run.spec.limits.supported_mime_types[0]
        shared_client(self.run).put(url, content=body, headers={"Content-Type": mime})

    def problem(self, endpoint: str, status: int, text: str) -> str | None:
        """Why an answer is a failure, or None; a chat answer may be one behind its 200."""
        wanted = self.run.spec.endpoint(endpoint).success
        if status != wanted:
            return f"{status} instead of {wanted}"
        if endpoint != "chat":
            return None
        reply = Reply("POST", "", status, httpx.Headers(), text.encode(), 0.0, "chat")
        return Answer(reply).failure(self.run.spec.chat)

    def keep(self, name: str, response: float, service: float, problem: str | None) -> None:
        """Keep one measurement (milliseconds)."""
        self.milliseconds[name].append(response)
        self.service[name].append(service)
        if problem is not None:
            self.failures[name][problem[:200]] += 1

    def has_measured(self) -> bool:
        """Whether any request was made."""
        return bool(self.milliseconds)

    def finish(self) -> None:
        """Write the measurements, and clean up where nobody else does."""
        data: dict[str, Any] = {"milliseconds": self.milliseconds, "service": self.service, "failures": self.failures}
        if self.measured is not None:
            lag = self.measured.lag
            data["schedule"] = {
                "valid": self.measured.is_valid,
                "dropped": self.measured.dropped,
                "lag_p99_ms": lag.percentile(99) if lag.count else 0.0,
            }
        (self.run.folder / "load.json").write_text(json.dumps(data))
        if self.owned:
            sweep.remove_run(self.run)
            self.run.remove()
