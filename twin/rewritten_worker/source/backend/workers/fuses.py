"""Fuses: whoever fails several times in a row is left alone for a while, then asked once."""

from __future__ import annotations

import time

from backend.workers import journal

BLOWS_AFTER = 5


class Fuse:
    """The fuse in the line to one kind of service."""

    def __init__(self, name: str, rest_seconds: float) -> None:
        self._name = name
        self._rest_seconds = rest_seconds
        self._failures = 0
        self._rests_until: float | None = None
        self._is_probed = False

    def seconds_to_rest(self) -> float:
        """Seconds until it may be asked again; 0 where it may be asked now."""
        if self._rests_until is None:
            return 0.0
        left = self._rests_until - time.monotonic()
        # While one asks whether it works again, the others wait.
        return max(0.1, left) if left > 0 or self._is_probed else 0.0

    def begin(self) -> bool:
        """A call begins; whether it is the one that finds out."""
        self._is_probed = self._rests_until is not None
        return self._is_probed

    def end(self, is_probe: bool, is_well: bool | None) -> None:
        """A call has ended; `is_well` is None where nothing was learned of the service."""
        if is_probe:
            self._is_probed = False
        if is_well is None or (self._rests_until is not None and not is_probe):
            return
        if is_well:
            if self._rests_until is not None:
                journal.note("info", "a service works again", service=self._name)
            self._failures, self._rests_until = 0, None
            return
        self._failures += 1
        if is_probe or self._failures >= BLOWS_AFTER:
            self._rests_until = time.monotonic() + self._rest_seconds
            journal.note("warning", "a service is left alone", service=self._name, seconds=round(self._rest_seconds, 2))
