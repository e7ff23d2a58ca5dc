"""While nothing else is said: which documents are on their way, in which stage, how long, and against which limit."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from fixtures.journeys import Journeys
from fixtures.masking import mask
from fixtures.run import Run

QUIET_SECONDS = 4.0
LOOK_SECONDS = 0.5


class Progress:
    """Speaks when no check has ended for a while: one live line on a terminal, a plain line on each change elsewhere."""

    def __init__(self, run: Run, out: Any) -> None:
        self._run = run
        self._out = out
        self._last = time.monotonic()
        self._said = ""
        self._stop = threading.Event()
        self._is_terminal = sys.stdout.isatty()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def heard(self) -> None:
        """A check has ended: there is no need to say anything for a while."""
        self._last = time.monotonic()
        if self._is_terminal and self._said:
            self._out.write("\r\x1b[K", flush=True)
        self._said = ""

    def stop(self) -> None:
        """Say nothing more."""
        self._stop.set()
        self._thread.join()
        self.heard()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            if time.monotonic() - self._last < QUIET_SECONDS:
                continue
            text = self.line()
            if text and self._is_terminal:
                self._out.write(f"\r\x1b[K{text}", flush=True)
                self._said = text
            elif text and text.partition(" for ")[0] != self._said:
                self._out.write(f"\n{text}\n", flush=True)
                self._said = text.partition(" for ")[0]

    def line(self) -> str:
        """The documents under way, or nothing when there are none."""
        journeys, waiting, longest = Journeys(self._run), [], 0.0
        for name in self._run.spec.documents:
            journey = journeys.look(name)
            if journey is not None and journey.outcome == "under way":
                waiting.append(f"{name} {journey.statuses[-1] if journey.statuses else 'uploading'}")
                longest = max(longest, journey.stages[-1][2] if journey.stages else 0.0)
        if not waiting:
            return ""
        return mask(
            f"waiting    documents: {', '.join(waiting)} for {longest:.0f} s of at most {self._run.document_seconds:.0f} s"
        )
