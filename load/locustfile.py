"""Tasks of the load: health, sign-in, profile, jobs, status, upload and chat; weights, profiles and targets are data.

`locust -f load/locustfile.py` runs as any Locust file does, web page included: users in a closed loop.
`locust -f load/locustfile.py --headless --arrivals smoke` starts requests on the profile's schedule instead (open
arrivals) and measures each from the moment it should have started; `--master` and `--worker` share one schedule.
The target's settings are read from HARNESS_ENV_FILE (default .env.staging). `make load` does all of it, with a report.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import gevent
from locust import FastHttpUser, between, events, task
from locust.runners import MasterRunner, WorkerRunner

from gate.settings import ConfigurationError
from load import finish, observe
from load.context import Context
from load.generators import REPORT_SECONDS, Generator, Master
from load.open_loop import OpenLoop
from load.record import BESIDE, LostWorker, Parts
from spec import SpecError

try:
    CONTEXT = Context.from_environment()
except (ConfigurationError, SpecError) as error:
    print(f"load: {error}", file=sys.stderr)
    sys.exit(4)
LOAD = CONTEXT.session.spec.load
PLAN = CONTEXT.plan
WEIGHTS = PLAN.weights if PLAN else LOAD.weights(LOAD.profiles[LOAD.gate_profile])
PARTS = Parts()
STARTED_AT = datetime.now(UTC).isoformat(timespec="seconds")
MASTERS: list[Master] = []
OBSERVERS: list[Any] = []
LEAD_SECONDS = 0.1


class Tasks:
    """What people do. `due` is when a request should have started (seconds after zero; None in a closed loop)."""

    client: Any
    zero = CONTEXT.started

    def _call(
        self, to: Context, name: str, endpoint: str, due: float | None, token: str = "", path: str = "", **arguments: Any
    ) -> Any:
        wanted = to.session.spec.endpoint(endpoint)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if to is not CONTEXT:
            name, path = BESIDE + name, to.session.settings.url("API_BASE_URL") + (path or wanted.path)
        started = time.perf_counter() - self.zero
        number = CONTEXT.recorder.begin(name, started if due is None else due, started)
        if due is None:
            with self.client.request(
                wanted.method, path or wanted.path, name=name, catch_response=True, headers=headers, **arguments
            ) as reply:
                problem = to.problem(endpoint, reply.status_code, reply.text or "")
                if problem:
                    reply.failure(problem)
        else:
            # Locust's own table is not what an open run is judged by, and what it costs is missing in the rate.
            reply = self.client.request(wanted.method, path or wanted.path, name=name, headers=headers, **arguments)
            problem = to.problem(endpoint, reply.status_code, reply.text or "")
        ended = time.perf_counter() - self.zero
        CONTEXT.recorder.end(number, ended, (ended - started) * 1000, problem and problem[:200])
        return reply

    def health(self, to: Context, due: float | None = None) -> None:
        """GET /health."""
        self._call(to, "health", "health", due)

    def sign_in(self, to: Context, due: float | None = None) -> None:
        """POST /login."""
        account = to.account()
        self._call(to, "sign_in", "login", due, json={"email": account.email, "password": account.password})

    def profile(self, to: Context, due: float | None = None) -> None:
        """GET /me."""
        self._call(to, "profile", "me", due, to.account().token)

    def jobs(self, to: Context, due: float | None = None) -> None:
        """GET the caller's jobs."""
        self._call(to, "jobs", "jobs", due, to.account().token)

    def status(self, to: Context, due: float | None = None) -> None:
        """GET the state of a job that was uploaded, as a page does that waits for it."""
        found = to.job()
        if found is None:
            self.jobs(to, due)
            return
        owner, job_id = found
        path = to.session.spec.endpoint("job").path.replace("{job_id}", job_id)
        self._call(to, "status", "job", due, owner.token, path)

    def upload(self, to: Context, due: float | None = None) -> None:
        """POST an upload request and send the document, within the limits of each user."""
        account, document, body = to.document()
        reply = self._call(to, "upload", "upload", due, account.token, json=body)
        if reply.status_code == to.session.spec.endpoint("upload").success:
            answer = reply.json()
            to.remember_job(account, str(answer["job_id"]))
            to.send(str(answer["signed_url"]), document.body)

    def chat(self, to: Context, due: float | None = None) -> None:
        """POST a question about an own document."""
        token, question = to.question()
        self._call(to, "chat", "chat", due, token, json={"message": question})


class Person(Tasks, FastHttpUser):
    """Somebody in a closed loop: asks again after the answer."""

    host = CONTEXT.session.settings.url("API_BASE_URL")
    wait_time = between(*LOAD.pause_seconds)
    connection_timeout = CONTEXT.session.spec.safety.request_seconds
    network_timeout = CONTEXT.session.spec.safety.chat_seconds
    weight = 0 if PLAN else 1

    @task
    def something(self) -> None:
        """One task by weight."""
        getattr(self, random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0])(CONTEXT)


class Arrivals(Tasks, FastHttpUser):
    """The schedule of a profile; one of these stands for everybody who arrives at this generator."""

    host = CONTEXT.session.settings.url("API_BASE_URL")
    connection_timeout = CONTEXT.session.spec.safety.request_seconds
    network_timeout = CONTEXT.session.spec.safety.chat_seconds
    concurrency = LOAD.in_flight
    weight = 1 if PLAN else 0
    has_run = False

    @task
    def everybody(self) -> None:
        """Run this generator's share of the schedule once, then end."""
        if Arrivals.has_run or PLAN is None:
            # After a lost generator Locust gives its place to another one, whose own share is all that it may send.
            gevent.sleep(1)
            return
        Arrivals.has_run = True
        generator = Generator(self.environment.runner, PARTS)
        of = max(1, getattr(self.environment.parsed_options, "expect_workers", 1) or 1)
        sides = [CONTEXT, reference] if (reference := CONTEXT.reference()) else [CONTEXT]
        for side in sides:
            side.prepare(len(PLAN.due()) // of, PLAN.weights)
        zero, share, of = generator.begin()
        chance = random.Random(f"{PLAN.seed}-{share}")
        names, weights, turn = list(PLAN.weights), list(PLAN.weights.values()), cycle(sides)
        loop = OpenLoop(lambda due: getattr(self, chance.choices(names, weights)[0])(next(turn), due), LOAD.in_flight)
        beside = gevent.spawn(self._report, generator, loop)
        due = PLAN.due(share, of)
        self.zero = zero if zero is not None else time.perf_counter() + LEAD_SECONDS
        (CONTEXT.session.shared.path / observe.ZERO).write_text(str(time.time() + self.zero - time.perf_counter()))
        loop.run(due, PLAN.patience_seconds or CONTEXT.session.spec.safety.chat_seconds, self.zero)
        beside.kill()
        CONTEXT.recorder.abandon(loop.now)
        CONTEXT.recorder.dropped = loop.dropped
        generator.report(CONTEXT.recorder.part(), is_last=True)
        if not isinstance(self.environment.runner, WorkerRunner):
            self.environment.runner.quit()

    @staticmethod
    def _report(generator: Generator, loop: OpenLoop) -> None:
        reported = time.monotonic()
        while True:
            gevent.sleep(0.25)
            if CONTEXT.abort_reason():
                loop.stop()
            if time.monotonic() - reported > REPORT_SECONDS:
                reported = time.monotonic()
                generator.report(CONTEXT.recorder.part())


def add_options(parser: Any) -> None:
    """`--arrivals NAME`; read from the environment too, since the classes depend on it."""
    parser.add_argument("--arrivals", default="", env_var="LOAD_PROFILE", help="open arrivals: " + ", ".join(LOAD.profiles))


def begin(environment: Any, **_: Any) -> None:
    """Start to observe; the master waits for its generators, and ends with the last of them."""
    if PLAN is not None and not isinstance(environment.runner, WorkerRunner):
        OBSERVERS.append(observe.start(CONTEXT.run))
    if PLAN is not None and isinstance(environment.runner, MasterRunner):
        expected = max(1, environment.parsed_options.expect_workers)
        MASTERS.append(Master(environment.runner, PARTS, expected, environment.runner.quit))


def end(environment: Any, **_: Any) -> None:
    """Write what was measured; a run by hand also judges it and removes what it created."""
    if isinstance(environment.runner, WorkerRunner):
        CONTEXT.clean()
        return
    if PLAN is None:
        PARTS.add("local", CONTEXT.recorder.part())
    lost, workers = [], 1
    for master in MASTERS:
        lost = [LostWorker(name=name, at=at) for name, at in master.lost.items()]
        workers = master.workers
    record = finish.record(CONTEXT.run, PLAN, PARTS, STARTED_AT, time.perf_counter() - CONTEXT.started)
    more: dict[str, Any] = {"lost": lost, "workers": workers, "aborted": CONTEXT.abort_reason()}
    for observer in OBSERVERS:
        more["samples"], more["documents"] = observe.finish(observer, CONTEXT.run)
    record = record.model_copy(update=more)
    if CONTEXT.owned and PLAN is not None:
        environment.process_exit_code = finish.conclude(CONTEXT.run, record)
    else:
        finish.hand_over(CONTEXT.run, record)
        environment.process_exit_code = 0 if record.requests else 1
    CONTEXT.clean()


events.init_command_line_parser.add_listener(add_options)
events.init.add_listener(begin)
events.quitting.add_listener(end)
