"""How many requests each endpoint got in this run, and how many of them found no whole response, or a server error."""

from __future__ import annotations

import threading
from collections import Counter


class Traffic:
    """Counts of this process; what was counted since the last look goes into the report of the check that ran."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def note(self, subject: str, component: str, succeeded: bool) -> None:
        """Count one request to an endpoint of a part."""
        with self._lock:
            self._asked[f"{component} {subject}"] += 1
            if not succeeded:
                self._failed[f"{component} {subject}"] += 1

    def drain(self) -> dict[str, list[int]]:
        """Requests and failed ones by part and endpoint, counted since the last call."""
        with self._lock:
            found = {name: [count, self._failed[name]] for name, count in self._asked.items()}
            self._asked.clear()
            self._failed.clear()
        return found
