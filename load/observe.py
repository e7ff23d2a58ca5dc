"""Looks at the target beside the load, in a process of its own: health, the queue, the documents, the connections.

`python -m load.observe FOLDER LABEL` is started by the load run and ends after its documents have (or after a while) once it is
told to stop. It writes `observed.jsonl` and `documents.json` into the run's folder, and `abort.json` when the target is down.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from gate.bounded import BoundedTransport, exchange
from fixtures.database import Database
from gate.failures import Blocked, CheckFailed
from gate.session import Session
from load.record import Documents, Sample

SAMPLES, DOCUMENTS, ABORT, ZERO = "observed.jsonl", "documents.json", "abort.json", "load-zero"
LABEL = "load"
HEALTH_SECONDS = 5.0
START_SECONDS, END_SECONDS = 15.0, 10.0
DRAIN_LOOK_SECONDS = 0.2


class Observer:
    """One look after another; every look has a deadline."""

    def __init__(self, session: Session, label: str) -> None:
        self.session = session
        self.label = label
        self.database = Database(session) if run.settings.database_url is not None else None
        self.spec = session.spec
        self.client = httpx.Client(transport=BoundedTransport(session.tls))
        self.stop = threading.Event()
        self.silent_since: float | None = None
        self.jobs: dict[str, dict[str, Any]] = {}

    def watch(self) -> None:
        """Look until told to stop and all documents of the run have ended, or their time is up."""
        thresholds = self.spec.load.thresholds
        parent = os.getppid()
        deadline = None
        while os.getppid() == parent:
            self._health(thresholds.abort_seconds)
            open_jobs = self._look()
            if self.stop.is_set():
                deadline = deadline or time.monotonic() + thresholds.drain_seconds
                if not open_jobs or time.monotonic() > deadline or (self.session.shared.path / ABORT).exists():
                    break
            if not self.stop.wait(thresholds.look_seconds):
                continue
            time.sleep(DRAIN_LOOK_SECONDS)  # told to stop, and looking on until the documents have ended
        (self.session.shared.path / DOCUMENTS).write_text(self._documents().model_dump_json())

    def _health(self, abort_seconds: float) -> None:
        endpoint = self.spec.endpoint("health")
        try:
            exchange(self.client, endpoint.method, self.session.settings.url("API_BASE_URL") + endpoint.path, HEALTH_SECONDS)
            self.silent_since = None
        except httpx.HTTPError as error:
            now = time.monotonic()
            self.silent_since = self.silent_since or now
            if now - self.silent_since >= abort_seconds:
                reason = f"{endpoint.path} was silent for {abort_seconds:g} s ({type(error).__name__})"
                (self.session.shared.path / ABORT).write_text(json.dumps({"reason": reason}))

    def _look(self) -> int:
        """Take one sample; answers how many documents of the run are still on their way."""
        sample = Sample(at=self._since_zero())
        open_jobs = 0
        if self.database is not None and self.silent_since is None:
            try:
                sample.connections, sample.connections_allowed = self.database.connections_in_use()
                open_jobs = self._jobs(sample, self.database)
            except (CheckFailed, Blocked, OSError, TimeoutError):
                sample.queue = None
        with (self.session.shared.path / SAMPLES).open("a") as file:
            file.write(sample.model_dump_json() + "\n")
        return open_jobs

    def _jobs(self, sample: Sample, database: Database) -> int:
        now = time.monotonic()
        waiting = []
        for row in database.jobs_of_run(self.label):
            job = self.jobs.setdefault(row["job_id"], {"sent": now - row["age"], "stages": {}})
            job["stages"].setdefault(row["status"], row["changed"])
            job["state"] = row["state"]
            if row["state"] not in (self.spec.pipeline.final_state, self.spec.pipeline.failed_state):
                waiting.append(row["age"])
        sample.queue, sample.oldest_seconds = len(waiting), max(waiting, default=0.0)
        return len(waiting)

    def _since_zero(self) -> float:
        try:
            return round(time.time() - float((self.session.shared.path / ZERO).read_text()), 2)
        except (OSError, ValueError):
            return -1.0

    def _documents(self) -> Documents:
        pipeline = self.spec.pipeline
        done = [job for job in self.jobs.values() if pipeline.final_status in job["stages"]]
        failed = [job for job in self.jobs.values() if job["state"] == pipeline.failed_state]
        stages: dict[str, list[float]] = {}
        for job in done:
            seen = [(stage, job["stages"][stage]) for stage in pipeline.stages if stage in job["stages"]]
            for (stage, entered), (_, left) in itertools.pairwise(seen):
                stages.setdefault(stage, []).append(round(left - entered, 3))
        ends = [job["sent"] + job["stages"][pipeline.final_status] for job in done]
        span = max(ends) - min(job["sent"] for job in self.jobs.values()) if ends else 0.0
        return Documents(
            uploaded=len(self.jobs),
            done=len(done),
            failed=len(failed),
            per_minute=round(len(done) / span * 60, 1) if span > 0 else 0.0,
            seconds=sorted(round(job["stages"][pipeline.final_status], 3) for job in done),
            stages=stages,
        )


def start(session: Session, label: str = LABEL) -> subprocess.Popen[bytes]:
    """Start an observer of the run's documents with this label, and wait for its first look."""
    for name in (SAMPLES, DOCUMENTS, ABORT):
        (session.shared.path / name).unlink(missing_ok=True)
    command = [sys.executable, "-m", "load.observe", str(session.shared.path), label]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + START_SECONDS
    while not (session.shared.path / SAMPLES).exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)  # its first sample says that it looks, and that it will hear when it is told to stop
    return process


def finish(process: subprocess.Popen[bytes], session: Session) -> tuple[list[Sample], Documents]:
    """Tell the observer to stop, wait for its last look, and read what it saw."""
    process.terminate()
    try:
        process.wait(session.spec.load.thresholds.drain_seconds + END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    lines = (session.shared.path / SAMPLES).read_text().splitlines() if (session.shared.path / SAMPLES).exists() else []
    samples = [Sample.model_validate_json(line) for line in lines]
    documents = session.shared.path / DOCUMENTS
    return samples, Documents.model_validate_json(documents.read_text()) if documents.exists() else Documents()


def main() -> int:
    """Observe one run until SIGTERM."""
    observer = Observer(Run.read(Path(sys.argv[1])), sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: observer.stop.set())
    # Ctrl-C is for the run; the observer waits for what the run tells it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        observer.watch()
    finally:
        close_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
