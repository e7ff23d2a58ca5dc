"""What runs and what ran: `pids.json` in the twin's folder, for the double of the host to read.

Of each process by its name: `pid` (0 where it does not run), `started`, `restarts`, and `lives`: of each process that ended
by itself its pid, start, end, exit code, and the limit of memory that it broke (0: none). Times are seconds since 1970.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import TypedDict

FILE = "pids.json"


class Life(TypedDict):
    """One process that ended by itself, or was killed for its memory."""

    pid: int
    started: float
    ended: float
    code: int
    memory_limit: float


class Entry(TypedDict):
    """What is known of one name."""

    pid: int
    started: float
    restarts: int
    lives: list[Life]


class Pids:
    """The file as its writer has it; several threads may write."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()

    def started(self, name: str, pid: int) -> None:
        """A process began."""
        with self._lock:
            entry = self._entries.setdefault(name, {"pid": 0, "started": 0.0, "restarts": 0, "lives": []})
            entry["restarts"] = len(entry["lives"])
            entry["pid"], entry["started"] = pid, time.time()
            self._write()

    def ended(self, name: str) -> None:
        """A process was ended on purpose."""
        with self._lock:
            self._entries[name]["pid"] = 0
            self._write()

    def died(self, name: str, code: int, memory_limit: float = 0.0) -> None:
        """A process ended by itself, or was killed because it broke a limit of memory (bytes)."""
        with self._lock:
            entry = self._entries[name]
            entry["lives"].append(
                {
                    "pid": entry["pid"],
                    "started": entry["started"],
                    "ended": time.time(),
                    "code": code,
                    "memory_limit": memory_limit,
                }
            )
            entry["pid"] = 0
            self._write()

    def _write(self) -> None:
        draft = self._path.with_suffix(".part")
        draft.write_text(json.dumps(self._entries))
        draft.replace(self._path)


def read(folder: Path) -> dict[str, Entry]:
    """The file's content; nothing where there is none."""
    try:
        found: dict[str, Entry] = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        return {}
    return found
