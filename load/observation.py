"""The observer beside a load as its run sees it: started, ended, and read."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from gate.places import ROOT
from gate.session import Session
from load.observe import ABORT, DOCUMENTS, SAMPLES
from load.people import LABEL
from load.record import Documents, Sample

START_SECONDS, END_SECONDS = 15.0, 10.0
PROBE_SECONDS = 0.05


class Observation:
    """An observer of the run's documents with this label; it has taken its first sample when this is made."""

    def __init__(self, session: Session, label: str = LABEL) -> None:
        self._session = session
        for name in (SAMPLES, DOCUMENTS, ABORT):
            (session.shared.path / name).unlink(missing_ok=True)
        command = [sys.executable, "-m", "load.observe", str(session.shared.path), label]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while session.shared.read(SAMPLES) is None and self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(PROBE_SECONDS)  # its first sample says that it is at work, and that it will hear SIGTERM

    def finish(self) -> tuple[list[Sample], Documents]:
        """End the observer after its last probe, and read what it saw."""
        self._process.terminate()
        try:
            self._process.wait(self._session.spec.load.thresholds.drain_seconds + END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return self._read()

    def stop(self) -> None:
        """End the observer at once, where it has not ended; its samples are not read."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _read(self) -> tuple[list[Sample], Documents]:
        lines = (self._session.shared.read(SAMPLES) or "").splitlines()
        documents = self._session.shared.read(DOCUMENTS)
        samples = [Sample.model_validate_json(line) for line in lines]
        return samples, Documents.model_validate_json(documents) if documents else Documents()


def abort_reason(session: Session) -> str:
    """Why the run must end now, as the observer beside it says; empty while it need not."""
    text = session.shared.read(ABORT)
    return str(json.loads(text)["reason"]) if text else ""
