"""Ctrl-C, the SIGTERM that CI cancels a job with, and the deadline of the run.

The run ends soon, cleans up, and reports nothing false about the target.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from gate.internals.pytest_ import may_raise

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN_SECONDS = 0.02


class Interrupts:
    """Raises KeyboardInterrupt where it interrupts a check's own work, and keeps it where it would interrupt pytest itself."""

    def __init__(self) -> None:
        self._pending = False
        self._spread = False
        self._again: threading.Timer | None = None
        self._deadline: threading.Timer | None = None
        self.is_too_late = False

    def remember(self) -> None:
        """Keep a Ctrl-C until `listen`: a library that is being imported may swallow the exception."""

        def heard(*_: object) -> None:
            self._pending = True
            raise KeyboardInterrupt

        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, heard)

    def listen(self, spread: bool) -> None:
        """Handle the signals from now on; `spread`: the checks run in other processes. Raises a swallowed KeyboardInterrupt."""
        self._spread = spread
        for number in SIGNALS:
            signal.signal(number, self._heard)
        self.deliver()

    def end_in(self, seconds: float) -> None:
        """Interrupt the run after so many seconds, as Ctrl-C does; `is_too_late` says so afterwards."""

        def ring() -> None:
            self.is_too_late = True
            os.kill(os.getpid(), signal.SIGINT)

        self._deadline = threading.Timer(seconds, ring)
        self._deadline.daemon = True
        self._deadline.start()

    def rest(self) -> None:
        """The run is over, and its deadline with it."""
        self._pending = False
        for timer in (self._deadline, self._again):
            if timer is not None:
                timer.cancel()

    def deliver(self) -> None:
        """Raises KeyboardInterrupt when one was kept."""
        if self._pending:
            self._raise()

    def _heard(self, _: int, frame: FrameType | None) -> None:
        if may_raise(frame, self._spread):
            self._raise()
        self._pending = True
        self._again = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), signal.SIGINT))
        self._again.daemon = True
        self._again.start()

    def _raise(self) -> None:
        self._pending = False
        if self._again is not None:
            self._again.cancel()
        raise KeyboardInterrupt

    @contextmanager
    def only_answered(self) -> Iterator[None]:
        """During the clean-up the first Ctrl-C only prints a line: what was created must be removed. The second ends it."""
        pressed = 0

        def answer(*_: object) -> None:
            nonlocal pressed
            pressed += 1
            if pressed > 1:
                raise KeyboardInterrupt
            os.write(2, b"\ncleaning up; press Ctrl-C again to leave everything as it is\n")

        self.rest()
        usual = {number: signal.signal(number, answer) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in usual.items():
                signal.signal(number, handler)
