"""How many requests each endpoint got in this run, how many found no whole response or a server error, and how many worked."""

from __future__ import annotations

import threading
from collections import Counter


class Traffic:
    """Counts of this process; what was counted since the last look goes into the report of the check that ran."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._worked: Counter[str] = Counter()

    def note(self, subject: str, component: str, status: int) -> None:
        """Count one request to an endpoint of a part by the status of its response, 0 for none."""
        name = f"{component} {subject}"
        with self._lock:
            self._asked[name] += 1
            if status == 0 or status >= 500:
                self._failed[name] += 1
            elif status < 400:
                self._worked[name] += 1

    def drain(self) -> dict[str, list[int]]:
        """Requests, failed ones and those that worked, by part and endpoint, counted since the last call."""
        with self._lock:
            found = {name: [count, self._failed[name], self._worked[name]] for name, count in self._asked.items()}
            for counter in (self._asked, self._failed, self._worked):
                counter.clear()
        return found
