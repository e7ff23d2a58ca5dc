"""Probes the target beside the load, in a process of its own: health, the queue, the documents, the connections.

`python -m load.observe FOLDER LABEL` is started by the load run and ends after its documents have (or after a while) once it
gets SIGTERM. It writes `observed.jsonl` and `documents.json` into the run's folder, and `abort.json` when the target is down.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from fixtures.connections import Connections
from fixtures.database import Database
from fixtures.pipeline import Pipeline
from fixtures.system import Staging
from gate.exchange import exchange
from gate.failures import Blocked, Failure
from gate.session import Session
from load.record import Documents, Sample
from load.target import quiet_logs
from spec.model import Specification

SAMPLES, DOCUMENTS, ABORT, ZERO = "observed.jsonl", "documents.json", "abort.json", "load-zero"
HEALTH_SECONDS = 5.0
DRAIN_PROBE_SECONDS = 0.2


@dataclass
class Job:
    """A job of the run: when it was sent (monotonic), its last state, and seconds until it reached each stage."""

    sent: float
    state: str = ""
    stages: dict[str, float] = field(default_factory=dict)


def documents_of(jobs: list[Job], spec: Specification) -> Documents:
    """What became of the documents of these jobs."""
    pipeline = spec.pipeline
    done = [job for job in jobs if pipeline.final_status in job.stages]
    stages: dict[str, list[float]] = {}
    for job in done:
        seen = [(stage, job.stages[stage]) for stage in pipeline.stages if stage in job.stages]
        for (stage, entered), (_, left) in itertools.pairwise(seen):
            stages.setdefault(stage, []).append(round(left - entered, 3))
    ends = [job.sent + job.stages[pipeline.final_status] for job in done]
    span = max(ends) - min(job.sent for job in jobs) if ends else 0.0
    return Documents(
        uploaded=len(jobs),
        done=len(done),
        failed=sum(job.state == pipeline.failed_state for job in jobs),
        per_minute=round(len(done) / span * 60, 1) if span > 0 else 0.0,
        seconds=sorted(round(job.stages[pipeline.final_status], 3) for job in done),
        stages=stages,
    )


class Observer:
    """One probe after another; every probe has a deadline."""

    def __init__(self, session: Session, label: str) -> None:
        self.session = session
        self.spec = session.spec
        self.stop = threading.Event()
        self._label = label
        self._client = httpx.Client(transport=session.transport, trust_env=False)
        database = Database(session) if session.settings.has("DATABASE_URL") else None
        self._connections = Connections(database) if database else None
        self._pipeline = Pipeline(database) if database else None
        self._silent_since: float | None = None
        self._jobs: dict[str, Job] = {}

    def watch(self) -> None:
        """Probe until `stop` is set and all documents of the run have ended, or their time is up."""
        thresholds = self.spec.load.thresholds
        parent = os.getppid()
        deadline = None
        while os.getppid() == parent:
            self._probe_health(thresholds.abort_seconds)
            under_way = self._take_sample()
            if self.stop.is_set():
                deadline = deadline or time.monotonic() + thresholds.drain_seconds
                if not under_way or time.monotonic() > deadline or self.session.shared.read(ABORT) is not None:
                    break
            if self.stop.wait(thresholds.look_seconds):
                time.sleep(DRAIN_PROBE_SECONDS)  # the event is set already, and would not be waited for
        self.session.shared.write(DOCUMENTS, documents_of(list(self._jobs.values()), self.spec).model_dump_json())

    def _probe_health(self, abort_seconds: float) -> None:
        endpoint = self.spec.endpoint("health")
        try:
            exchange(self._client, endpoint.method, self.session.api_url + endpoint.path, HEALTH_SECONDS)
            self._silent_since = None
        except httpx.HTTPError as error:
            now = time.monotonic()
            self._silent_since = self._silent_since or now
            if now - self._silent_since >= abort_seconds:
                reason = f"{endpoint.path} was silent for {abort_seconds:g} s ({type(error).__name__})"
                self.session.shared.write(ABORT, json.dumps({"reason": reason}))

    def _take_sample(self) -> int:
        """Write one sample; returns how many documents of the run are still under way."""
        sample = Sample(at=self._since_zero())
        if self._connections is not None and self._pipeline is not None and self._silent_since is None:
            try:
                sample.connections, sample.connections_allowed = self._connections.in_use()
                self._sample_jobs(sample, self._pipeline)
            except (Failure, Blocked, OSError, TimeoutError):
                sample.queue = None
        # A folder that is removed meanwhile must not come back: the run has ended.
        with (self.session.shared.path / SAMPLES).open("a") as file:
            file.write(sample.model_dump_json() + "\n")
        return sample.queue or 0

    def _sample_jobs(self, sample: Sample, pipeline: Pipeline) -> None:
        now = time.monotonic()
        waiting = []
        for row in pipeline.jobs_of_run(self._label):
            job = self._jobs.setdefault(row["job_id"], Job(now - row["age"]))
            job.stages.setdefault(row["status"], row["changed"])
            job.state = row["state"]
            if job.state not in (self.spec.pipeline.final_state, self.spec.pipeline.failed_state):
                waiting.append(row["age"])
        sample.queue, sample.oldest_seconds = len(waiting), max(waiting, default=0.0)

    def _since_zero(self) -> float:
        """Seconds since the schedule's zero; -1 before it."""
        zero = self.session.shared.read(ZERO)
        return round(time.time() - float(zero), 2) if zero else -1.0


def main() -> int:
    """Observe one run until SIGTERM."""
    session = Session.attach(Path(sys.argv[1]), Staging())
    quiet_logs(session)
    observer = Observer(session, sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: observer.stop.set())
    # Ctrl-C is for the run; the observer waits for what the run tells it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        observer.watch()
    except FileNotFoundError:
        pass  # the run's folder is removed: there is no reader any more
    finally:
        session.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
