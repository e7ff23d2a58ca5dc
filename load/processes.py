"""Locust as processes of their own: one, or a master with generators on this and on other machines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from gate.failures import Facts, Failure, shorten
from gate.places import ROOT
from gate.session import Session
from load import finish
from load.budget import reserve
from load.observe import ZERO
from load.plan import LoadPlan
from load.ports import free_port
from load.record import LoadRecord

LOCUSTFILE = ROOT / "load" / "locustfile.py"
LOG = "locust.log"
START_SECONDS = 60.0
STOP_SECONDS = 15.0
REMOTE_PORT = 5557
TAIL = 400


def run_locust(session: Session, plan: LoadPlan, workers: int = 1, remote: int = 0) -> LoadRecord:
    """Carry out the plan with `workers` generators of this machine and `remote` ones of others.

    Raises Failure when nothing was measured, ConfigurationError or Blocked when the budget does not allow the plan.
    """
    reserve(session, plan)
    for name in (finish.HANDED_OVER, ZERO):
        (session.shared.path / name).unlink(missing_ok=True)
    plan.save(session.shared)
    patience = plan.profile.seconds + session.spec.safety.chat_seconds + session.spec.load.thresholds.drain_seconds
    log = session.shared.path / LOG
    with log.open("wb") as output:
        processes = [
            # A group of its own: Ctrl-C is for whoever started the run, who ends the group.
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
            for command in commands(str(session.shared.path), workers, remote)
        ]
        _wait(processes, patience + START_SECONDS)
    found = finish.handed_over(session)
    if found is None:
        tail = session.masking.mask(shorten(log.read_text(errors="replace")[-TAIL:]))
        raise Failure(
            "load.unmeasured",
            "task all",
            expected="a load run",
            observed=Facts(error="no result", detail=tail),
            hint="locust -f load/locustfile.py",
            component="harness",
        )
    return found


def commands(folder: str, workers: int, remote: int) -> list[list[str]]:
    """The command lines of the run in this folder; the first process writes its result."""
    common = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--run-folder", folder]
    first = [*common, "--headless", "--only-summary", "--stop-timeout", "2"]
    wanted = workers + remote
    if wanted == 1 and not remote:
        return [[*first, "-u", "1"]]
    host, port = ("0.0.0.0", str(REMOTE_PORT)) if remote else ("127.0.0.1", str(free_port()))
    master = ["--master", "--master-bind-host", host, "--master-bind-port", port, "--expect-workers", str(wanted)]
    worker = [*common, "--worker", "--master-host", "127.0.0.1", "--master-port", port]
    return [[*first, *master, "-u", str(wanted), "-r", str(wanted)], *[worker] * workers]


def _wait(processes: list[subprocess.Popen[bytes]], seconds: float) -> None:
    """Wait until the first of them, which writes the result, has ended; then end the others."""
    try:
        processes[0].wait(seconds)
    except subprocess.TimeoutExpired:
        # Locust writes what it has when it is asked to end.
        processes[0].send_signal(signal.SIGTERM)
    except BaseException:
        # Ctrl-C, or the deadline of the check: the figures are not needed any more.
        for process in processes:
            _kill_group(process)
        raise
    finally:
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill_group(process)
                process.wait()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Also the observer that a generator has started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
