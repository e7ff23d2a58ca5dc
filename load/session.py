"""The surroundings of a load run: its target, Locust's processes, and the clean-up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from fixtures import identity, settings, sweep
from fixtures.database import Database
from fixtures.documents import make
from gate.embedded import EmbeddedTwin
from gate.failures import Blocked, CheckFailed, shorten
from fixtures.document_runs import DocumentRun, PipelineDriver
from gate.options import DEFAULT_ENV_FILE
from gate.run import STATE, Run, forget_dead_twins, new_run_id
from load import finish, observe
from load.budget import reserve
from load.context import FOLDER_VARIABLE
from load.plan import LoadPlan
from load.record import LoadRecord
from spec import current
from twin.plan import free_ports

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
STOP_SECONDS = 15.0
REMOTE_PORT = 5557


class Session:
    """One target for one or several runs of Locust; raises ConfigurationError when there is none."""

    def __init__(
        self,
        target: Literal["twin", "live"] | None = None,
        env_file: Path | None = None,
        faults: Sequence[str] = (),
        speedup: float | None = None,
        twin_arguments: Sequence[str] = (),
        quiet: bool = False,
    ) -> None:
        self._quiet = quiet
        forget_dead_twins(ROOT / STATE)
        spec = current()
        path = env_file or (Path(DEFAULT_ENV_FILE) if Path(DEFAULT_ENV_FILE).exists() else None)
        live = path is not None or any(os.environ.get(name) for name in settings.LIVE_VARIABLES)
        kind: Literal["twin", "live"] = target or ("live" if live else "twin")
        if kind == "live" and faults:
            raise settings.ConfigurationError("--fault breaks the twin only; a live target is never broken on purpose")
        run_id = new_run_id()
        folder = (ROOT / STATE / run_id).resolve()
        more = [*twin_arguments, *(["--speedup", str(speedup)] if speedup else [])]
        self._twin = EmbeddedTwin(folder, faults, more) if kind == "twin" else None
        if self._twin is not None:
            values, worker_env = self._twin.start()
        else:
            values = settings.live_values(path, spec)
            worker_env = values
        try:
            self.session = Run(run_id, kind, False, folder, values, worker_env, tuple(faults), purpose="load")
            identity.approach(self.session)
        except settings.ConfigurationError:
            self._stop_twin()
            raise
        self.session.save()

    def __enter__(self) -> Session:
        if self._quiet:
            return self
        print(f"target {self.session.settings.text("HARNESS_TARGET_NAME")} ({self.session.run.kind}) {self.session.settings.url("API_BASE_URL")}")
        print(f"run {self.session.run.run_id}", flush=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            swept = sweep.remove_run(self.session)
            if swept.left:
                print(f"left over   {'; '.join(swept.left[:3])}: python -m fixtures.sweep --older-than 0s")
            else:
                self.session.remove()
        except (Blocked, CheckFailed, OSError) as problem:
            print(f"left over   users of run {self.session.run.run_id} ({problem}): python -m fixtures.sweep --older-than 0s")
        finally:
            self._stop_twin()
            if self.session.run.kind == "twin":
                self.session.remove()

    def _stop_twin(self) -> None:
        if self._twin is not None:
            self._twin.stop()

    def require_answer(self) -> None:
        """Raises Blocked when the API does not answer at all."""
        if reason := self.session.prerequisites.lost("api"):
            raise Blocked("api", reason)

    def upload_policy(self) -> None:
        """One document that the questions of the load are about; without it they ask what there is."""
        document_run = DocumentRun("policy")
        document = make("policy", self.session.spec.documents["policy"], self.session.tag, self.session.spec.facts)
        try:
            PipelineDriver(self.session, Database(self.session), threading.Event()).travel(document_run, document)
        except (CheckFailed, Blocked, settings.ConfigurationError) as error:
            print(f"note       no document to ask about: {error}")
            return
        folder = self.session.shared.path / "document_runs"
        folder.mkdir(exist_ok=True)
        (folder / "policy.json").write_text(json.dumps(asdict(document_run), default=str))

    def locust(self, plan: LoadPlan, workers: int = 1, remote: int = 0) -> LoadRecord:
        """Run Locust over the plan; raises CheckFailed when it measured nothing."""
        return run_locust(self.session, plan, workers, remote)


def comparable_runs(session: Session, speedup: float | None = None) -> list[LoadRecord]:
    """Several runs of the profile that releases are compared by.

    On the twin each has a new one, broken in the same way, because two starts of one release differ more than two runs after
    one start; and a healthy one beside it, which tells the machine's own changes from the target's.
    """
    rule = session.spec.load.regression
    plan = LoadPlan.of(session.spec, rule.profile)
    if session.run.kind == "live":
        return [run_locust(session, plan) for _ in range(rule.repeats)]
    found = []
    for _ in range(rule.repeats):
        with (
            Session("twin", faults=run.faults, speedup=speedup, quiet=True) as session,
            Session("twin", speedup=speedup, quiet=True) as reference,
        ):
            found.append(session.locust(replace(plan, reference=str(reference.session.shared.path))))
    return found


def run_locust(session: Session, plan: LoadPlan, workers: int = 1, remote: int = 0) -> LoadRecord:
    """Locust as processes of their own: one, or a master with generators; raises CheckFailed when nothing was measured."""
    reserve(session, plan)
    for name in (finish.HANDED_OVER, observe.ZERO):
        (session.shared.path / name).unlink(missing_ok=True)
    plan.save(session.shared.path)
    env: dict[str, Any] = os.environ | {FOLDER_VARIABLE: str(session.shared.path), "PYTHONPATH": str(ROOT)}
    port = str(REMOTE_PORT if remote else free_ports(1)[0])
    common = [sys.executable, "-m", "locust", "-f", str(ROOT / "load" / "locustfile.py"), "--arrivals", plan.name]
    headless = ["--headless", "--only-summary", "--stop-timeout", "2"]
    wanted = workers + remote
    if wanted == 1 and not remote:
        commands = [[*common, *headless, "-u", "1"]]
    else:
        host = "0.0.0.0" if remote else "127.0.0.1"
        master = ["--master", "--master-bind-host", host, "--master-bind-port", port, "--expect-workers", str(wanted)]
        commands = [[*common, *headless, *master, "-u", str(wanted), "-r", str(wanted)]]
        commands += [[*common, "--worker", "--master-host", "127.0.0.1", "--master-port", port]] * workers
    log = session.shared.path / "locust.log"
    with log.open("wb") as output:
        processes = [
            subprocess.Popen(
                c, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
            for c in commands
        ]
        _wait(processes, plan.profile.seconds + session.spec.safety.chat_seconds + session.spec.load.thresholds.drain_seconds)
    found = finish.handed_over(run)
    if found is None:
        tail = shorten(log.read_text(errors="replace")[-400:])
        raise CheckFailed("a load run", tail, "locust -f load/locustfile.py", "harness")
    return found


def _wait(processes: list[subprocess.Popen[bytes]], seconds: float) -> None:
    """Until the first of them, which writes the result, has ended; then end the others."""
    try:
        processes[0].wait(seconds + START_SECONDS)
    except subprocess.TimeoutExpired:
        # Locust writes what it has when it is told to end.
        processes[0].send_signal(signal.SIGTERM)
    except BaseException:
        # Ctrl-C, or the deadline of the check: nobody waits for the figures any more.
        for process in processes:
            process.kill()
        raise
    finally:
        for process in processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
