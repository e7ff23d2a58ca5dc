"""How long to wait for a part that did not respond before, and what is not asked for a while."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from gate.shared import SharedFolder
from spec.model import Safety

FOLDER = "silent"


class Silence:
    """Counts the parts and endpoints that did not answer in time.

    The verdict is red by then; waiting in full each time would only delay it. What a process knows of parts is its own; what
    is known of an endpoint, all processes of the run share: one byte in a file for each request in a row.
    """

    def __init__(self, rule: Safety, shared: SharedFolder) -> None:
        self._rule, self._shared = rule, shared
        self._silences: Counter[str] = Counter()

    def patience(self, component: str, seconds: float) -> float:
        """How long to wait: `seconds`, or less when the part was silent often enough."""
        if self._silences[component] >= self._rule.patience:
            return min(seconds, self._rule.impatient_seconds)
        return seconds

    def note(self, component: str, endpoint: str = "") -> None:
        """A part did not answer in time, asked for this endpoint."""
        self._silences[component] += 1
        if endpoint:
            self._shared.below(FOLDER)
            self._shared.append(_place(endpoint), "")

    def broken(self, endpoint: str) -> None:
        """An endpoint has answered: it may be asked as ever."""
        (self._shared.path / _place(endpoint)).unlink(missing_ok=True)

    def reason_to_spare(self, endpoint: str) -> str | None:
        """Why an endpoint is not asked now: the last requests to it, one by one, got no answer; None where it is asked."""
        try:
            seen = (self._shared.path / _place(endpoint)).stat()
        except FileNotFoundError:
            return None
        if time.time() - seen.st_mtime >= self._rule.spared_seconds:
            return None
        if seen.st_size < self._rule.patience and not self._is_wide():
            return None
        return f"{endpoint} did not answer any of the last {seen.st_size} requests, and is not asked for a while"

    def _is_wide(self) -> bool:
        """Whether so many endpoints are silent that one request is enough for each of the others."""
        found = (self._size_of(path) for path in (self._shared.path / FOLDER).glob("*"))
        return sum(size >= self._rule.patience for size in found) >= self._rule.patience

    @staticmethod
    def _size_of(path: Path) -> int:
        # An answer may have come meanwhile.
        with suppress(FileNotFoundError):
            return path.stat().st_size
        return 0


def _place(endpoint: str) -> str:
    return f"{FOLDER}/{hashlib.sha256(endpoint.encode()).hexdigest()[:16]}"
