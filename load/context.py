"""What the load's tasks need: the run, accounts, documents, and a place for the measurements."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from fixtures import settings, sweep
from fixtures.answers import Answer
from fixtures.http import Reply, shared_client
from fixtures.journeys import Journeys
from fixtures.options import DEFAULT_ENV_FILE
from fixtures.registry import Registry
from fixtures.run import STATE, Run, new_run_id
from fixtures.supabase import Supabase
from fixtures.users import User, Users
from spec import current

FOLDER_VARIABLE = "HARNESS_RUN_FOLDER"
ENV_FILE_VARIABLE = "HARNESS_ENV_FILE"
NO_DOCUMENT = "Which documents do you have of mine?"


class Context:
    """One load run. `owned` is true when it was started by hand and cleans up after itself."""

    def __init__(self, run: Run, owned: bool) -> None:
        self.run = run
        self.owned = owned
        self.milliseconds: dict[str, list[float]] = defaultdict(list)
        self.failures: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        supabase = Supabase(run)
        supabase.anon.quiet = supabase.admin.quiet = True
        self._users = Users(run, supabase, Registry(run))

    @classmethod
    def from_environment(cls) -> Context:
        """The run that the gate started, or one of its own; raises ConfigurationError when no target is named."""
        if folder := os.environ.get(FOLDER_VARIABLE):
            return cls(Run.read(Path(folder)), owned=False)
        path = Path(os.environ.get(ENV_FILE_VARIABLE, DEFAULT_ENV_FILE))
        values = (settings.read_env_file(path) if path.exists() else {}) | settings.from_process(current())
        run_id = new_run_id()
        run = Run(run_id, "live", False, (STATE / run_id).resolve(), values, values)
        if suspects := settings.production_markers(values, run.spec):
            raise settings.ConfigurationError(f"{', '.join(suspects)}: looks like production")
        run.learn_secrets()
        run.save()
        return cls(replace(run), owned=True)

    def new_user(self) -> User:
        """An account for one person."""
        return self._users.new("load")

    def question(self) -> tuple[str | None, str]:
        """A question, and the token of somebody whose document answers it (None: the caller's own)."""
        policy = Journeys(self.run).look("policy")
        if policy is not None and policy.outcome == "complete":
            return policy.owner.token, policy.facts[0][0]
        return None, NO_DOCUMENT

    def send(self, signed_url: str, body: bytes) -> None:
        """Send a document's bytes to storage; storage's time is not the API's."""
        url = signed_url if signed_url.startswith("http") else self.run.settings.api_base_url + signed_url
        mime = self.run.spec.limits.supported_mime_types[0]
        shared_client(self.run).put(url, content=body, headers={"Content-Type": mime})

    def chat_problem(self, status: int, text: str) -> str | None:
        """Why a chat answer is a failure, or None."""
        if status != self.run.spec.endpoint("chat").success:
            return f"{status} instead of {self.run.spec.endpoint('chat').success}"
        import httpx

        reply = Reply("POST", "", status, httpx.Headers(), text.encode(), 0.0, "chat")
        return Answer(reply).failure(self.run.spec.chat)

    def keep(self, name: str, milliseconds: float, exception: Exception | None) -> None:
        """Keep one measurement."""
        self.milliseconds[name].append(milliseconds)
        if exception is not None:
            self.failures[name][str(exception)[:200]] += 1

    def measured(self) -> bool:
        """Whether any request was made."""
        return bool(self.milliseconds)

    def finish(self) -> None:
        """Write the measurements, and clean up where nobody else does."""
        data = {"milliseconds": self.milliseconds, "failures": self.failures}
        (self.run.folder / "load.json").write_text(json.dumps(data))
        if self.owned:
            sweep.remove_run(self.run)
            self.run.remove()
