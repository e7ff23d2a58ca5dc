"""What is disturbed now, as the control writes it and the doubles read it: `board.json` in the twin's folder.

What a double did because of a disturbance is a line of `seen-ID.jsonl` beside it, so that the control knows how often it
struck.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

FILE = "board.json"
KINDS = ("vendor", "callback")
Entry = dict[str, Any]


def write(folder: Path, entries: list[Entry]) -> None:
    """Have these disturbances be the ones that count; readers see them with their next request."""
    draft = folder / f"{FILE}.part"
    draft.write_text(json.dumps(entries))
    draft.replace(folder / FILE)


def note(folder: Path, id: str, **what: Any) -> None:
    """Write down one thing that was done because of a disturbance."""
    line = json.dumps({"at": time.time(), **what}) + "\n"
    descriptor = os.open(folder / f"seen-{id}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def noted(folder: Path, id: str) -> list[Entry]:
    """What was done because of a disturbance, the oldest first."""
    try:
        lines = (folder / f"seen-{id}.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


class Board:
    """The reader's side; it reads the file again when it was replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: list[Entry] = []
        self._stamp: tuple[int, int] | None = None
        self._struck: dict[str, int] = {}
        self._met: dict[str, int] = {}

    def entries(self, kind: str) -> list[Entry]:
        """The disturbances of a kind that hold now, without those that have struck as often as they were to."""
        return [entry for entry in self._all() if entry["kind"] == kind and self._is_left(entry)]

    def holds(self, id: str) -> bool:
        """Whether a disturbance is not lifted yet; what it has begun goes on, also when it has struck often enough."""
        return any(entry["id"] == id for entry in self._all())

    def falls_on(self, entry: Entry) -> bool:
        """Whether a disturbance strikes this request: the last one of each `every`, all but the last one of each `spared`."""
        self._met[entry["id"]] = met = self._met.get(entry["id"], 0) + 1
        if spared := entry.get("spared"):
            return bool(met % spared)
        return not met % (entry.get("every") or 1)

    def strike(self, entry: Entry) -> None:
        """Count one thing that is done because of a disturbance."""
        self._struck[entry["id"]] = self._struck.get(entry["id"], 0) + 1

    def _all(self) -> list[Entry]:
        path = self.folder / FILE
        try:
            found = path.stat()
        except FileNotFoundError:
            return []
        if (stamp := (found.st_ino, found.st_mtime_ns)) != self._stamp:
            self._entries, self._stamp = json.loads(path.read_text()), stamp
        return self._entries

    def _is_left(self, entry: Entry) -> bool:
        first = entry.get("first")
        return first is None or self._struck.get(entry["id"], 0) < first
