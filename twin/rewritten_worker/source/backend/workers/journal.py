"""The worker's journal: a JSON object a line on the standard error. It never holds keys, addresses or anybody's text."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

_JOURNAL = logging.getLogger("worker")


class _AsJson(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        if record.exc_info and record.exc_info[0]:
            # The trace of a library's error may quote values.
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line | getattr(record, "facts", {}), default=str)


def open_at(level: str) -> None:
    """Write from this level on; of libraries only warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(_AsJson())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    name = level.strip().upper()
    _JOURNAL.setLevel(name if name in logging.getLevelNamesMapping() else logging.INFO)


def note(level: str, message: str, **facts: Any) -> None:
    """Write one line."""
    _JOURNAL.log(logging.getLevelNamesMapping()[level.upper()], message, extra={"facts": facts})
