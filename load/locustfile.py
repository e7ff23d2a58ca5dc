"""The load as a Locust file; its tasks are in load/tasks.py, their weights, profiles and targets are data.

`locust -f load/locustfile.py` runs as any Locust file does, web page included: users in a closed loop.
`locust -f load/locustfile.py --headless --arrivals smoke` starts requests on the profile's schedule instead (open
arrivals) and measures each from the moment it should have started; `--master` and `--worker` share one schedule.
The target's settings are read from --env-file (default .env.staging). `make load` does all of it, with a report.
"""

from __future__ import annotations

import random
import sys
import time
from functools import partial
from itertools import cycle

import gevent
from locust import FastHttpUser, User, between, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner

from gate.exit_codes import ExitCode
from gate.failures import Blocked, NotConfigured
from gate.places import DEFAULT_ENV_FILE
from gate.settings import ConfigurationError
from load.generation import Generation
from load.generators import REPORT_SECONDS, Generator
from load.internals.locust_ import run_only
from load.observation import abort_reason
from load.observe import ZERO
from load.open_loop import OpenLoop
from load.people import People
from load.plan import LoadPlan
from load.record import BESIDE
from load.tasks import TASKS, Answered, Request
from spec import SpecError

LEAD_SECONDS = 0.1
ABORT_PROBE_SECONDS = 0.25
IDLE_SECONDS = 1.0
PROBLEM = 200


class Person(FastHttpUser):
    """Somebody in a closed loop: asks again after the answer."""

    generation: Generation

    @task
    def something(self) -> None:
        """One task by weight."""
        weights = self.generation.weights
        TASKS[random.choices(list(weights), list(weights.values()))[0]](self.generation.people, self.send)

    def send(self, request: Request) -> Answered:
        """One request; Locust's own table shows what came of it."""
        people = self.generation.people
        endpoint = people.session.spec.endpoint(request.endpoint)
        with self.client.request(
            endpoint.method,
            request.path or endpoint.path,
            name=request.task,
            catch_response=True,
            headers=bearer(request.token),
            json=request.json,
        ) as reply:
            if problem := people.problem(request.endpoint, reply.status_code, reply.text or ""):
                reply.failure(people.session.masking.mask(problem))
        answered: Answered = reply
        return answered


class Arrivals(FastHttpUser):
    """The schedule of a profile; one of these stands for everybody who arrives at this generator."""

    generation: Generation
    zero = 0.0

    @task
    def everybody(self) -> None:
        """Run this generator's share of the schedule once, then end."""
        generation, plan, runner = self.generation, self.generation.plan, self.environment.runner
        if generation.has_run or plan is None or runner is None:
            gevent.sleep(IDLE_SECONDS)
            return
        generation.has_run = True
        generator = Generator(runner, generation.parts)
        sides = generation.sides()
        options = self.environment.parsed_options
        of = max(1, options.expect_workers or 1) if options is not None else 1
        for side in sides:
            side.prepare(len(plan.due()) // of, plan.weights)
        self.run_schedule(generator, plan, sides)
        generation.is_done = True
        if not isinstance(runner, WorkerRunner):
            runner.quit()

    def run_schedule(self, generator: Generator, plan: LoadPlan, sides: list[People]) -> None:
        """Wait for the other generators, start what is due here, and report what was measured."""
        session, recorder = self.generation.session, self.generation.recorder
        zero, share, of = generator.begin()
        chance, turn = random.Random(f"{plan.seed}-{share}"), cycle(sides)
        names, weights = list(plan.weights), list(plan.weights.values())

        def arrive(due: float) -> None:
            people = next(turn)
            TASKS[chance.choices(names, weights)[0]](people, partial(self.send, people, due))

        loop = OpenLoop(arrive, session.spec.load.in_flight)
        beside = gevent.spawn(self._report, generator, loop)
        due = plan.due(share, of)
        self.zero = zero if zero is not None else time.perf_counter() + LEAD_SECONDS
        session.shared.write(ZERO, str(time.time() + self.zero - time.perf_counter()))
        try:
            loop.run(due, plan.patience_seconds or session.spec.safety.chat_seconds, self.zero)
        finally:
            beside.kill()
        recorder.abandon(loop.now)
        recorder.dropped = loop.dropped
        generator.report(recorder.part(), is_last=True)

    def send(self, people: People, due: float, request: Request) -> Answered:
        """One request that was due at this moment (seconds after zero), of those who use the target or the twin beside it."""
        endpoint = people.session.spec.endpoint(request.endpoint)
        name, path = request.task, request.path or endpoint.path
        if people is not self.generation.people:
            name, path = BESIDE + name, people.session.api_url + path
        started = time.perf_counter() - self.zero
        number = self.generation.recorder.begin(name, due, started)
        # Without `catch_response`: Locust's own table is not what an open run is judged by, and would cost a part of the rate.
        reply = self.client.request(endpoint.method, path, name=name, headers=bearer(request.token), json=request.json)
        ended = time.perf_counter() - self.zero
        problem = people.problem(request.endpoint, reply.status_code, reply.text or "")
        shown = people.session.masking.mask(problem)[:PROBLEM] if problem else None
        self.generation.recorder.end(number, ended, (ended - started) * 1000, shown)
        return reply

    def _report(self, generator: Generator, loop: OpenLoop) -> None:
        """Report what was measured every few seconds, and stop the loop when the target is down."""
        reported = time.monotonic()
        while True:
            gevent.sleep(ABORT_PROBE_SECONDS)
            if abort_reason(self.generation.session):
                loop.stop()
            if time.monotonic() - reported > REPORT_SECONDS:
                reported = time.monotonic()
                generator.report(self.generation.recorder.part())


def bearer(token: str) -> dict[str, str]:
    """The header that a token is sent in, or none."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def configured(user_class: type[FastHttpUser], generation: Generation) -> type[User]:
    """The user class for the target of this process."""
    spec = generation.session.spec
    return type(
        user_class.__name__,
        (user_class,),
        {
            "generation": generation,
            "host": generation.session.api_url,
            "wait_time": between(*spec.load.pause_seconds),
            "connection_timeout": spec.safety.request_seconds,
            "network_timeout": spec.safety.chat_seconds,
            "concurrency": spec.load.in_flight,
        },
    )


def add_options(parser: LocustArgumentParser, **_: object) -> None:
    """Options of the load beside Locust's own."""
    texts = {
        "--arrivals": ("NAME", "open arrivals on the schedule of this profile of the specification"),
        "--env-file": ("PATH", f"settings of the target (default {DEFAULT_ENV_FILE})"),
        "--spec": ("PATH", "another specification file"),
        "--run-folder": ("PATH", "take part in the run that another process opened"),
    }
    for name, (metavar, text) in texts.items():
        parser.add_argument(name, default="", metavar=metavar, help=text, include_in_web_ui=False)


def begin(environment: Environment, **_: object) -> None:
    """Join the run and begin to observe; ends the process with exit code 4 or 6 in one line where there is no target."""
    options = environment.parsed_options
    if options is None:
        raise ConfigurationError("the load needs the options of Locust's command line")
    try:
        generation = Generation.join(options)
        generation.begin(environment)
    except (ConfigurationError, SpecError) as error:
        print(f"load: {error}", file=sys.stderr)
        sys.exit(ExitCode.USAGE)
    except (Blocked, NotConfigured) as error:
        print(f"load: {error}", file=sys.stderr)
        sys.exit(ExitCode.BLOCKED)
    run_only(environment, configured(Arrivals if generation.plan else Person, generation))
    environment.events.quitting.add_listener(lambda environment, **_: generation.end(environment))


events.init_command_line_parser.add_listener(add_options)
events.init.add_listener(begin)
