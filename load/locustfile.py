"""Tasks of the load: health, sign-in, profile, status, upload and chat; weights, profiles and targets are data.

`locust -f load/locustfile.py` runs as any Locust file does, web page included: users in a closed loop.
`locust -f load/locustfile.py --headless --arrivals smoke` starts requests on the profile's schedule instead (open
arrivals) and measures each from the moment it should have started. The target's settings are read from HARNESS_ENV_FILE
(default .env.staging).
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

from locust import FastHttpUser, between, events, task

from fixtures.settings import ConfigurationError
from load.arrivals import schedule
from load.context import Context
from load.open_loop import OpenLoop
from spec import SpecError

try:
    CONTEXT = Context.from_environment()
except (ConfigurationError, SpecError) as error:
    print(f"load: {error}", file=sys.stderr)
    sys.exit(4)
LOAD = CONTEXT.run.spec.load
WEIGHTS = {name: entry.weight for name, entry in LOAD.tasks.items()}


class Tasks:
    """What people do. `due` is when a request should have started (None in a closed loop)."""

    client: Any

    def _call(self, name: str, endpoint: str, due: float | None, token: str = "", **arguments: Any) -> Any:
        wanted = CONTEXT.run.spec.endpoint(endpoint)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with self.client.request(
            wanted.method, wanted.path, name=name, catch_response=True, headers=headers, **arguments
        ) as reply:
            problem = CONTEXT.problem(endpoint, reply.status_code, reply.text or "")
            if problem:
                reply.failure(problem)
            service = float(reply.request_meta["response_time"])
            if due is not None:
                reply.request_meta["response_time"] = (time.perf_counter() - due) * 1000
            CONTEXT.keep(name, float(reply.request_meta["response_time"]), service, problem)
            return reply

    def health(self, due: float | None = None) -> None:
        """GET /health."""
        self._call("health", "health", due)

    def sign_in(self, due: float | None = None) -> None:
        """POST /login."""
        account = CONTEXT.account()
        self._call("sign_in", "login", due, json={"email": account.email, "password": account.password})

    def profile(self, due: float | None = None) -> None:
        """GET /me."""
        self._call("profile", "me", due, CONTEXT.account().token)

    def status(self, due: float | None = None) -> None:
        """GET the caller's jobs."""
        self._call("status", "jobs", due, CONTEXT.account().token)

    def upload(self, due: float | None = None) -> None:
        """POST an upload request and send the document, within the limits of each user."""
        account, document, body = CONTEXT.document()
        reply = self._call("upload", "upload", due, account.token, json=body)
        if reply.status_code == CONTEXT.run.spec.endpoint("upload").success:
            CONTEXT.send(str(reply.json()["signed_url"]), document.body)

    def chat(self, due: float | None = None) -> None:
        """POST a question about an own document."""
        token, question = CONTEXT.question()
        self._call("chat", "chat", due, token, json={"message": question})


class Person(Tasks, FastHttpUser):
    """Somebody in a closed loop: asks again after the answer."""

    host = CONTEXT.run.settings.api_base_url
    wait_time = between(0.05, 0.3)
    connection_timeout = CONTEXT.run.spec.safety.request_seconds
    network_timeout = CONTEXT.run.spec.safety.chat_seconds
    weight = 0 if CONTEXT.profile else 1

    @task
    def something(self) -> None:
        """One task by weight."""
        getattr(self, random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0])()


class Arrivals(Tasks, FastHttpUser):
    """The schedule of a profile; one of these stands for everybody who arrives."""

    host = CONTEXT.run.settings.api_base_url
    connection_timeout = CONTEXT.run.spec.safety.request_seconds
    network_timeout = CONTEXT.run.spec.safety.chat_seconds
    concurrency = LOAD.in_flight
    fixed_count = 1 if CONTEXT.profile else 0
    weight = 1 if CONTEXT.profile else 0

    @task
    def everybody(self) -> None:
        """Run the whole schedule, then end the load run."""
        due = list(schedule(LOAD.profiles[CONTEXT.profile].segments, seed=LOAD.seed))
        CONTEXT.prepare(len(due))
        chance = random.Random(LOAD.seed)
        names, weights = list(WEIGHTS), list(WEIGHTS.values())
        loop = OpenLoop(lambda moment: getattr(self, chance.choices(names, weights)[0])(moment), LOAD.in_flight)
        CONTEXT.measured = loop.run(due, CONTEXT.run.spec.safety.chat_seconds)
        self.environment.runner.quit()


def add_options(parser: Any) -> None:
    """`--arrivals NAME`; read from the environment too, since the classes depend on it."""
    parser.add_argument("--arrivals", default="", env_var="LOAD_PROFILE", help="open arrivals: " + ", ".join(LOAD.profiles))


def finish(environment: Any, **_: Any) -> None:
    """Write what was measured; a run by hand also removes what it created."""
    CONTEXT.finish()
    # The gate judges by its own targets; Locust's exit code only says whether the run took place.
    environment.process_exit_code = 0 if CONTEXT.has_measured() else 1


events.init_command_line_parser.add_listener(add_options)
events.quitting.add_listener(finish)
