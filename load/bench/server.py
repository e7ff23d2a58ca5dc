"""A bare ASGI server for the benchmarks. It can freeze as a whole, as a suspended container does, and log what it answered.

Environment: FREEZES (JSON, pairs of seconds after GET /begin), WORK_SECONDS (asynchronous wait of each request), LOG (path).
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import Any

FREEZES: list[tuple[float, float]] = json.loads(os.environ.get("FREEZES", "[]"))
WORK_SECONDS = float(os.environ.get("WORK_SECONDS", "0"))
LOG = open(os.environ["LOG"], "a", buffering=1) if "LOG" in os.environ else None  # noqa: SIM115
HEADERS = [(b"content-length", b"2")]
_zero: list[float] = []


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer `ok`, sooner or later."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/begin":
        _zero.append(time.time())
    if WORK_SECONDS:
        await asyncio.sleep(WORK_SECONDS)
    if _zero and FREEZES:
        for begin, end in FREEZES:
            if begin <= time.time() - _zero[-1] < end:
                # The whole process stops, and with it every other request.
                time.sleep(max(0.0, _zero[-1] + end - time.time()))
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"ok"})
    if LOG is not None:
        print(scope["query_string"].decode(), time.time(), file=LOG)
