"""Tasks of the load: health, sign-in, profile, status, upload and chat; weights and targets stand in spec/staging.toml.

By hand: `locust -f load/locustfile.py`, with the target's settings in HARNESS_ENV_FILE (default .env.staging).
"""

from __future__ import annotations

import secrets
from typing import Any

from locust import FastHttpUser, between, events, task

from fixtures.api import upload_body
from fixtures.documents import make
from load.context import Context
from spec.model import DocumentKind

CONTEXT = Context.from_environment()
WEIGHTS = {name: entry.weight for name, entry in CONTEXT.run.spec.load.tasks.items()}
PAGE = DocumentKind(kind="policy", outcome="complete")


class Person(FastHttpUser):
    """Somebody who uses the Insurance Navigator; each has an account of their own."""

    host = CONTEXT.run.settings.api_base_url
    wait_time = between(0.05, 0.3)
    connection_timeout = CONTEXT.run.spec.safety.request_seconds
    network_timeout = CONTEXT.run.spec.safety.chat_seconds

    def on_start(self) -> None:
        """Get an account and a token."""
        self.account = CONTEXT.new_user()
        self.uploads_left = CONTEXT.run.spec.limits.max_concurrent_jobs_per_user

    def _call(self, name: str, endpoint: str, **arguments: Any) -> Any:
        wanted = CONTEXT.run.spec.endpoint(endpoint)
        with self.client.request(wanted.method, wanted.path, name=name, catch_response=True, **arguments) as reply:
            if reply.status_code != wanted.success:
                reply.failure(f"{reply.status_code} instead of {wanted.success}")
            return reply

    def _bearer(self, token: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self.account.token}"}

    @task(WEIGHTS["health"])
    def health(self) -> None:
        """GET /health."""
        self._call("health", "health")

    @task(WEIGHTS["sign_in"])
    def sign_in(self) -> None:
        """POST /login."""
        self._call("sign_in", "login", json={"email": self.account.email, "password": self.account.password})

    @task(WEIGHTS["profile"])
    def profile(self) -> None:
        """GET /me."""
        self._call("profile", "me", headers=self._bearer())

    @task(WEIGHTS["status"])
    def status(self) -> None:
        """GET the caller's jobs."""
        self._call("status", "jobs", headers=self._bearer())

    @task(WEIGHTS["upload"])
    def upload(self) -> None:
        """POST an upload request and send the document, within the limits of each user."""
        if not self.uploads_left:
            self.account = CONTEXT.new_user()
            self.uploads_left = CONTEXT.run.spec.limits.max_concurrent_jobs_per_user
        self.uploads_left -= 1
        document = make(f"load-{secrets.token_hex(3)}", PAGE, CONTEXT.run.run_id, [])
        body = upload_body(CONTEXT.run, document)
        reply = self._call("upload", "upload", json=body, headers=self._bearer())
        if reply.status_code == CONTEXT.run.spec.endpoint("upload").success:
            CONTEXT.send(str(reply.json()["signed_url"]), document.body)

    @task(WEIGHTS["chat"])
    def chat(self) -> None:
        """POST a question about an own document."""
        token, question = CONTEXT.question()
        wanted = CONTEXT.run.spec.endpoint("chat")
        headers = self._bearer(token)
        with self.client.post(
            wanted.path, name="chat", json={"message": question}, headers=headers, catch_response=True
        ) as reply:
            if problem := CONTEXT.chat_problem(reply.status_code, reply.text):
                reply.failure(problem)


def keep(name: str, response_time: float, exception: Exception | None, **_: Any) -> None:
    """Keep every response time (milliseconds) and failure."""
    CONTEXT.keep(name, response_time, exception)


def finish(environment: Any, **_: Any) -> None:
    """Write what was measured; a run by hand also removes what it created."""
    CONTEXT.finish()
    # The gate judges by its own targets; Locust's exit code only says whether the run took place.
    environment.process_exit_code = 0 if CONTEXT.measured() else 1


events.request.add_listener(keep)
events.quitting.add_listener(finish)
