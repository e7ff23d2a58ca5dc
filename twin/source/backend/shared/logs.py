"""The services' log: one line for each thing that happens, with its time (UTC), level, logger and the request's id."""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar

# The id of the request that this task serves; empty outside of requests.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")


class _Line(logging.Formatter):
    converter = time.gmtime
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:
        request_id = REQUEST_ID.get()
        return super().formatMessage(record) + (f" request_id={request_id}" if request_id else "")


def set_up(name: str, level: str) -> None:
    """Write the service's own log to the standard error, from this level on; of libraries only warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Line("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    own = level.upper()
    # What both services share logs below `backend`.
    for logger in (name, "backend"):
        logging.getLogger(logger).setLevel(own if own in logging.getLevelNamesMapping() else logging.INFO)
