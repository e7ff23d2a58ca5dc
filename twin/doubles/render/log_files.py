"""The log lines of the twin's services, as their host collects them: read from their files, with time, level and labels."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from twin.doubles.render.answers import Json, written
from twin.doubles.render.description import API, WORKER

# Lines that are kept of one file.
MOST = 50_000
TIME = re.compile(r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?Z?)\s+")
# A line without any is of no particular level.
LEVEL = re.compile(r"\[?(?P<level>DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL)\b")
LEVELS = {"warn": "warning", "fatal": "critical"}
# Who wrote a line: the service or its host, so long after it.
APP, HOST = "app", "request"
AFTER = datetime.timedelta(microseconds=400)
REQUEST = re.compile(r"'(?P<method>[A-Z]+) (?P<path>/[^']*)' (?P<status>\d{3}) (?P<spent>[\d.]+) ms")


@dataclass(frozen=True)
class Line:
    """One line; `number` tells lines of one time apart."""

    at: datetime.datetime
    level: str
    text: str
    number: int
    # As the API shows it, by what wrote it; a run asks for the same lines again and again.
    _shown: dict[str, Json | None] = field(default_factory=dict, init=False, compare=False, repr=False)

    def as_data(self, service: Json, instance: str) -> Json:
        """The line as the API shows it."""
        if APP not in self._shown:
            labels = {"resource": service["id"], "instance": instance, "level": self.level, "type": APP}
            self._shown[APP] = _entry(f"{instance}-{self.number}", self.at, self.text, labels)
        return self._shown[APP] or {}

    def of_host(self, service: Json, instance: str) -> Json | None:
        """What the host itself writes of the request that it is about, if it is about one; AFTER the line."""
        if HOST not in self._shown:
            of = REQUEST.search(self.text)
            self._shown[HOST] = self._request(service, instance, of) if of else None
        return self._shown[HOST]

    def _request(self, service: Json, instance: str, of: re.Match[str]) -> Json:
        labels = {
            "resource": service["id"],
            "instance": instance,
            "level": "info",
            "type": HOST,
            "method": of["method"],
            "statusCode": of["status"],
            "path": of["path"],
            "host": f"{service['slug']}.onrender.com",
        }
        # The host counts requests by ids of its own.
        own = hashlib.sha256(f"{instance}-{self.number}".encode()).hexdigest()[:16]
        text = f"[{of['method']}] {of['status']} {of['path']} requestID={own!r} responseTimeMS={float(of['spent']):.0f}"
        return _entry(f"{instance}-{self.number}-request", self.at + AFTER, text, labels)


def _entry(identifier: str, at: datetime.datetime, text: str, labels: dict[str, str]) -> Json:
    shown = [{"name": name, "value": value} for name, value in labels.items()]
    return {"id": identifier, "timestamp": written(at), "message": text, "labels": shown}


@dataclass
class LogFile:
    """One growing file. A line without a time has that of the line before it, or that at which it was read."""

    path: Path
    # Added to each time, so that no lines of two files have the same: pages are continued by time.
    apart: datetime.timedelta = datetime.timedelta()
    lines: list[Line] = field(default_factory=list)
    _offset: int = 0
    _count: int = 0

    def read(self) -> list[Line]:
        """All lines so far, oldest first."""
        try:
            if (size := self.path.stat().st_size) <= self._offset:
                return self.lines
            with self.path.open("rb") as file:
                file.seek(self._offset)
                found = file.read(size - self._offset)
            arrived = min(self.path.stat().st_mtime, time.time())
        except OSError:
            return self.lines
        whole = found[: found.rfind(b"\n") + 1]
        self._offset += len(whole)
        self._add(whole.decode("utf-8", "replace").splitlines(), datetime.datetime.fromtimestamp(arrived, datetime.UTC))
        return self.lines

    def _add(self, texts: list[str], arrived: datetime.datetime) -> None:
        # What was written just before the first line that names its time is as old as that line.
        at = next((found for text in texts if (found := _parsed(text)[0]) is not None), None) or arrived
        for text in texts:
            own, level = _parsed(text)
            # Nor have two lines of this one.
            last = self.lines[-1].at + datetime.timedelta(microseconds=1) if self.lines else None
            at = own + self.apart if own else at
            at = max(at, last) if last else at
            self._count += 1
            if text.strip():
                self.lines.append(Line(at, level, text, self._count))
        del self.lines[:-MOST]


def _parsed(text: str) -> tuple[datetime.datetime | None, str]:
    """Time and level of a line, as far as it names them."""
    if text.startswith("{"):
        return _of_json(text)
    stamp = TIME.match(text)
    level = LEVEL.match(text[stamp.end() :] if stamp else text)
    at = _time(stamp["time"]) if stamp else None
    return at, _level(level["level"] if level else "")


def _of_json(text: str) -> tuple[datetime.datetime | None, str]:
    try:
        found = json.loads(text)
        return _time(str(found.get("time") or found.get("timestamp") or "")), _level(str(found.get("level") or ""))
    except (ValueError, AttributeError):
        return None, "info"


def _time(text: str) -> datetime.datetime | None:
    try:
        at = datetime.datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=datetime.UTC)


def _level(name: str) -> str:
    return LEVELS.get(name.lower(), name.lower()) or "info"


class LogFiles:
    """The files of the twin's services, in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[Path, LogFile] = {}

    def read(self) -> None:
        """Take in what was written since, so that lines without a time have that of their arrival."""
        for service_id in (API, WORKER):
            self.of(service_id)

    def of(self, service_id: str) -> list[tuple[str, list[Line]]]:
        """The lines of a service by instance."""
        names = {API: "api.log", WORKER: "worker*.log"}.get(service_id)
        paths = sorted(self._folder.glob(names)) if names else []
        for number, path in enumerate(paths):
            apart = datetime.timedelta(microseconds=0 if service_id == API else 200 + 50 * number)
            self._files.setdefault(path, LogFile(path, apart))
        return [(f"{service_id}-{number:05x}", self._files[path].read()) for number, path in enumerate(paths)]
