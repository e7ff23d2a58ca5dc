"""What is waited for, while it is waited for: one live line on a terminal, a plain line on each change elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

QUIET_SECONDS = 4.0
PROBE_SECONDS = 0.5
CLEAR_LINE = "\r\x1b[K"


class ProgressLine:
    """Shows the newest state; whoever writes something else clears the line first."""

    def __init__(self, out: TextIO, mask: Callable[[str], str]) -> None:
        self._out = out
        self._mask = mask
        self._is_terminal = out.isatty()
        self._shown = ""

    def show(self, text: str, seconds: float, limit: float | None = None) -> None:
        """Show a state with the time it has taken so far; outside a terminal only when the state has changed."""
        text = self._mask(text)
        spent = f"{seconds:.0f} s" if limit is None else f"{seconds:.0f} of at most {limit:.0f} s"
        if self._is_terminal:
            self._out.write(f"{CLEAR_LINE}{text} ({spent})")
            self._out.flush()
        elif text != self._shown:
            print(f"\n{text} ({spent})", file=self._out, flush=True)
        self._shown = text

    def clear(self) -> None:
        """Clear the line."""
        if self._is_terminal and self._shown:
            self._out.write(CLEAR_LINE)
            self._out.flush()
        self._shown = ""


class WaitingLine:
    """The line of one wait."""

    def __init__(self, what: str, limit: float, line: ProgressLine) -> None:
        self._what = what
        self._limit = limit
        self._line = line
        self._started = time.monotonic()

    def say(self, seen: str) -> None:
        """Show the newest state of what is waited for."""
        self._line.show(f"waiting for {self._what}: {seen}", time.monotonic() - self._started, self._limit)


@contextmanager
def waiting(what: str, limit: float, mask: Callable[[str], str]) -> Iterator[WaitingLine]:
    """A line for one wait of at most `limit` seconds."""
    line = ProgressLine(sys.stderr, mask)
    try:
        yield WaitingLine(what, limit, line)
    finally:
        line.clear()


class Progress:
    """Shows what goes on beside the checks when no check has ended for a while.

    `describe` returns the state and the seconds that it took so far, or None when there is nothing to wait for.
    """

    def __init__(self, describe: Callable[[], tuple[str, float] | None], limit: float, mask: Callable[[str], str]) -> None:
        self._describe = describe
        self._limit = limit
        self._line = ProgressLine(sys.stdout, mask)
        self._last = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def check_ended(self) -> None:
        """A check has ended: there is no need to show anything for a while."""
        self._last = time.monotonic()
        self._line.clear()

    def stop(self) -> None:
        """Show nothing more."""
        self._stop.set()
        self._thread.join()
        self._line.clear()

    def _watch(self) -> None:
        while not self._stop.wait(PROBE_SECONDS):
            if time.monotonic() - self._last < QUIET_SECONDS:
                continue
            if (state := self._describe()) is not None:
                self._line.show(f"waiting    {state[0]}", state[1], self._limit)
