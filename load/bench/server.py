"""A bare ASGI server for the benchmarks. It can freeze as a whole, as a suspended container does, and log what it answered.

`python -m load.bench.server PORT [--work-seconds S] [--freezes JSON] [--log PATH]`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TextIO

import uvicorn
from starlette.types import Receive, Scope, Send

HEADERS = [(b"content-length", b"2")]
BACKLOG = 4096


class BareServer:
    """Answers `ok` after `work_seconds`; `freezes` are pairs of seconds after the last GET /begin."""

    def __init__(self, work_seconds: float, freezes: list[tuple[float, float]], log: TextIO | None) -> None:
        self._work_seconds = work_seconds
        self._freezes = freezes
        self._log = log
        self._zero: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        if scope["path"] == "/begin":
            self._zero = time.time()
        if self._work_seconds:
            await asyncio.sleep(self._work_seconds)
        self._freeze()
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": b"ok"})
        if self._log is not None:
            print(scope["query_string"].decode(), time.time(), file=self._log)

    def _freeze(self) -> None:
        """Stop the whole process, and with it every other request, until the end of a freeze."""
        if self._zero is None:
            return
        for begin, end in self._freezes:
            if begin <= time.time() - self._zero < end:
                time.sleep(max(0.0, self._zero + end - time.time()))


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m load.bench.server", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--work-seconds", type=float, default=0.0, help="asynchronous wait of each request")
    parser.add_argument("--freezes", default="[]", help="pairs of seconds after GET /begin, as JSON")
    parser.add_argument("--log", type=Path, help="a line for each answer: its query and its time")
    options = parser.parse_args()
    log = options.log.open("a", buffering=1) if options.log else None
    server = BareServer(options.work_seconds, [(begin, end) for begin, end in json.loads(options.freezes)], log)
    uvicorn.run(server, port=options.port, log_level="error", backlog=BACKLOG)
    return 0


if __name__ == "__main__":
    sys.exit(main())
