"""What the load's tasks need: the run, accounts, documents, and a place for the measurements."""

from __future__ import annotations

import json
import logging
import math
import os
import secrets
import sys
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

from fixtures import identity, masking, settings, sweep
from fixtures.answers import Answer
from fixtures.api import Api, upload_body
from fixtures.documents import Document, make
from gate.http import Reply, shared_client
from fixtures.document_runs import DocumentRuns
from gate.options import DEFAULT_ENV_FILE
from gate.run import STATE, Run, new_run_id
from fixtures.users import User, Users
from load.budget import reserve
from load.observe import ABORT, LABEL
from load.plan import LoadPlan
from load.recorder import Recorder
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
    """One generator of a load run. `owned` is true when it was started by hand and cleans up after itself."""

    def __init__(self, session: Session, owned: bool, plan: LoadPlan | None) -> None:
        self.session = session
        self.owned = owned
        self.plan = plan
        self.started = time.perf_counter()
        self.recorder = Recorder(plan.block_seconds if plan else session.spec.load.block_seconds)
        # Its lines would show signed URLs.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        masking.mask_logs()
        self._users = Users.of(run)
        self._accounts: list[User] = []
        self._uploads: list[tuple[User, Document, dict[str, Any]]] = []
        self._turn = cycle([0])
        self._jobs: list[tuple[User, str]] = []
        self._next_job = 0

    def reference(self) -> Context | None:
        """The healthy twin beside the target, where the plan names one."""
        if self.plan is None or not self.plan.reference:
            return None
        return Context(Run.read(Path(self.plan.reference)), owned=False, plan=self.plan)

    @classmethod
    def from_environment(cls) -> Context:
        """The run that somebody started, or one of its own; raises ConfigurationError when no target is named."""
        profile = chosen_profile(sys.argv)
        if folder := os.environ.get(FOLDER_VARIABLE):
            return cls(Run.read(Path(folder)), owned=False, plan=LoadPlan.read(Path(folder)))
        plan = LoadPlan.of(current(), profile) if profile else None
        path = Path(os.environ.get(ENV_FILE_VARIABLE, DEFAULT_ENV_FILE))
        values = settings.live_values(path if path.exists() else None, current())
        run_id = new_run_id()
        run = Run(run_id, "live", False, (STATE / run_id).resolve(), values, values, purpose="load")
        identity.approach(run)
        if plan is not None:
            reserve(session, plan)
        run.save()
        return cls(session, owned=True, plan=plan)

    def prepare(self, requests: int, weights: dict[str, int]) -> None:
        """Create the accounts before the first request, so that no measurement waits for one."""
        load = self.session.spec.load
        share = weights.get("upload", 0) / sum(weights.values())
        each = self.session.spec.limits.max_concurrent_jobs_per_user
        for _ in range(load.users):
            self.account()
        if "status" in weights:
            self._first_job()
        for _ in range(math.ceil(SPARE * share * requests / each) + 1 if share else 0):
            self._make_uploads()

    def _make_uploads(self) -> None:
        """Another user with as many documents as may be on their way at once; a PDF takes time that no request may wait."""
        owner = self._users.new("load")
        for _ in range(self.session.spec.limits.max_concurrent_jobs_per_user):
            document = self._page()
            self._uploads.append((owner, document, upload_body(self.session, document)))

    def _page(self) -> Document:
        return make(f"{LABEL}-{secrets.token_hex(3)}", PAGE, self.session.tag, [])

    def _first_job(self) -> None:
        """A job to ask about from the first second on; without one the listing is asked."""
        owner = self._users.new("load")
        document = self._page()
        api = Api(self.session).silent().as_(owner)
        reply = api.request_upload(document)
        if reply.status == self.session.spec.endpoint("upload").success:
            self.remember_job(owner, str(reply.object()["job_id"]))
            api.send(api.absolute(reply.object()["signed_url"]), document.body)

    def account(self) -> User:
        """Somebody who is signed in, in turns."""
        if len(self._accounts) < self.session.spec.load.users:
            self._accounts.append(self._users.new("load"))
            self._turn = cycle(range(len(self._accounts)))
            return self._accounts[-1]
        return self._accounts[next(self._turn)]

    def document(self) -> tuple[User, Document, dict[str, Any]]:
        """A new document, somebody who may still upload one, and the body of the request."""
        if not self._uploads:
            self._make_uploads()
        return self._uploads.pop()

    def remember_job(self, owner: User, job_id: str) -> None:
        """A job that may be asked about from now on."""
        self._jobs.append((owner, job_id))

    def job(self) -> tuple[User, str] | None:
        """A job and its owner, in turns, as people look at their uploads; None before the first upload."""
        if not self._jobs:
            return None
        self._next_job += 1
        return self._jobs[self._next_job % len(self._jobs)]

    def question(self) -> tuple[str, str]:
        """A question, and the token of somebody whose document answers it, where there is one."""
        policy = DocumentRuns(self.session).look("policy")
        if policy is not None and policy.outcome == "complete":
            return policy.owner.token, policy.facts[0][0]
        return self.account().token, NO_DOCUMENT

    def send(self, signed_url: str, body: bytes) -> None:
        """Send a document's bytes to storage; storage's time is not the API's."""
        url = signed_url if signed_url.startswith("http") else self.session.settings.url("API_BASE_URL") + signed_url
        mime = self.session.spec.limits.supported_mime_types[0]
        shared_client(self.session).put(url, content=body, headers={"Content-Type": mime})

    def problem(self, endpoint: str, status: int, text: str) -> str | None:
        """Why an answer is a failure, or None; a chat answer may be one behind its 200."""
        wanted = self.session.spec.endpoint(endpoint).success
        if status == 0:
            return "no answer"
        if status != wanted:
            return f"{status} instead of {wanted}"
        if endpoint != "chat":
            return None
        reply = Reply("POST", "", status, httpx.Headers(), text.encode(), 0.0, "chat")
        return Answer(reply).failure(self.session.spec.chat)

    def clean(self) -> None:
        """Remove what a run by hand has created."""
        if self.owned:
            sweep.remove_run(self.session)
            self.session.remove()

    def abort_reason(self) -> str:
        """Why the run must end now, as the observer beside it says; empty while it need not."""
        try:
            return str(json.loads((self.session.shared.path / ABORT).read_text())["reason"])
        except (OSError, ValueError):
            return ""
