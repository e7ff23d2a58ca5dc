"""The requests that the twin's API served, as its log names them."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

REQUEST = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z?) .*"
    r"'(?P<method>[A-Z]+) (?P<path>/[^']*)' (?P<status>\d{3}) (?P<spent>[\d.]+) ms"
)
# The newest that are kept.
MOST = 100_000


@dataclass(frozen=True)
class Served:
    """One request; `milliseconds` until its response was complete."""

    at: float
    path: str
    status: int
    milliseconds: float


class Traffic:
    """Reads what was added to the log since it was read last."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = 0
        self._served: list[Served] = []

    def served(self) -> list[Served]:
        """All requests so far, the oldest first; none of an API that logs none."""
        try:
            with self._log.open("rb") as file:
                file.seek(self._offset)
                found = file.read()
        except OSError:
            return self._served
        whole = found[: found.rfind(b"\n") + 1]
        self._offset += len(whole)
        self._served += [_served(match) for match in REQUEST.finditer(whole.decode(errors="replace"))]
        del self._served[:-MOST]
        return self._served


def _served(match: re.Match[str]) -> Served:
    at = datetime.datetime.fromisoformat(match["time"].removesuffix("Z")).replace(tzinfo=datetime.UTC)
    return Served(at.timestamp(), match["path"], int(match["status"]), float(match["spent"]))
