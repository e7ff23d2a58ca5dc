"""One Locust process of a load run: its session, its plan, what it measured, and the record that the first one makes."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from fixtures.system import Staging
from gate.exit_codes import ExitCode
from gate.session import Session
from gate.settings import ConfigurationError
from gate.target import Choice, open_session
from load import finish
from load.budget import reserve
from load.generators import Master
from load.observation import Observation, abort_reason
from load.people import People
from load.plan import LoadPlan
from load.record import LoadRecord, LostWorker, Parts
from load.recorder import Recorder
from load.target import end, quiet_logs
from load.tasks import TASKS
from spec import DEFAULT


class Generation:
    """What one Locust process does for the session's run.

    `plan` is None in a closed loop. `owned` is true where the process was started by hand: it opened the session itself,
    judges what was measured, and cleans up.
    """

    def __init__(self, session: Session, plan: LoadPlan | None, owned: bool) -> None:
        self.session = session
        self.plan = plan
        self.owned = owned
        load = session.spec.load
        self.weights = plan.weights if plan else load.weights(load.profiles[load.gate_profile])
        if unknown := self.weights.keys() - TASKS.keys():
            raise ConfigurationError(f"[load.tasks] {', '.join(sorted(unknown))}: no task of load/tasks.py")
        self.people = People(session)
        self.parts = Parts()
        self.recorder = Recorder(plan.block_seconds if plan else load.block_seconds)
        # After a lost generator Locust gives its place to another one, whose own share is all that it may send.
        self.has_run = False
        # Whether this process has done its share of the schedule.
        self.is_done = False
        self._reference: Session | None = None
        self._master: Master | None = None
        self._observation: Observation | None = None
        self._started = time.perf_counter()
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")

    @classmethod
    def join(cls, options: Namespace) -> Generation:
        """Take part in the run of --run-folder, or open one of its own on the target of --env-file.

        Raises ConfigurationError, SpecError or Blocked in one line.
        """
        if options.run_folder:
            session = Session.attach(Path(options.run_folder), Staging())
            quiet_logs(session)
            return cls(session, LoadPlan.read(session.shared), owned=False)
        env_file = Path(options.env_file) if options.env_file else None
        spec_file = Path(options.spec) if options.spec else DEFAULT
        session = open_session(Choice("live", env_file, spec_file=spec_file, purpose="load"), Staging())
        try:
            quiet_logs(session)
            plan = LoadPlan.of(session.spec, options.arrivals) if options.arrivals else None
            session.verify(writes=True)
            session.prerequisites.require("api")
            if plan is not None and not options.worker:
                reserve(session, plan)
            return cls(session, plan, owned=True)
        except BaseException:
            session.end()
            raise

    def begin(self, environment: Environment) -> None:
        """Start to observe; the master waits for its generators, and ends with the last of them."""
        runner, options = environment.runner, environment.parsed_options
        if self.plan is None or runner is None or options is None or isinstance(runner, WorkerRunner):
            return
        self._observation = Observation(self.session)
        if isinstance(runner, MasterRunner):
            self._master = Master(runner, self.parts, max(1, options.expect_workers), runner.quit)

    def sides(self) -> list[People]:
        """Those who use the target, and where the plan names one, those who use the healthy twin beside it."""
        if self.plan is None or not self.plan.reference:
            return [self.people]
        self._reference = Session.attach(Path(self.plan.reference), Staging())
        return [self.people, People(self._reference)]

    def end(self, environment: Environment) -> None:
        """Write what was measured, and set the exit code; a run by hand also judges it and removes what it created."""
        if environment.runner is not None:
            # Nothing may be sent or created any more.
            environment.runner.quit()
        try:
            if not isinstance(environment.runner, WorkerRunner):
                environment.process_exit_code = self._conclude(environment)
        finally:
            if self._observation is not None:
                self._observation.stop()
            if self._reference is not None:
                self._reference.close()
            if self.owned:
                end(self.session)
            else:
                self.session.close()

    def _conclude(self, environment: Environment) -> int:
        if self.plan is None:
            return ExitCode.PASS if environment.stats.total.num_requests else ExitCode.FAIL
        if self.owned and not self._has_ended():
            print("load: ended early; nothing is judged, and what was created is removed", file=sys.stderr)
            return ExitCode.INTERRUPTED
        record = self._record(self.plan)
        if self.owned:
            return finish.conclude(self.session, record)
        finish.hand_over(self.session, record)
        return ExitCode.PASS if record.requests else ExitCode.FAIL

    def _has_ended(self) -> bool:
        """Whether the schedule came to its end."""
        return self._master.has_ended if self._master is not None else self.is_done

    def _record(self, plan: LoadPlan) -> LoadRecord:
        record = finish.record(self.session, plan, self.parts.whole(), self._started_at)
        if self._master is not None:
            record.lost = [LostWorker(name=name, at=at) for name, at in self._master.lost.items()]
            record.workers = self._master.workers
        record.aborted = abort_reason(self.session)
        if self._observation is not None:
            record.samples, record.documents = self._observation.finish()
        return record
