"""A server that never changes, asked between the requests of a comparison: what it slows down by is the machine's doing.

Run with uvicorn as a process of its own on loopback. Each answer takes a fixed amount of work of the same kind as an API's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from socket import create_connection
from typing import Any

from twin.plan import free_ports

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 15.0
ROUNDS = 30
RECORD = {f"field {number}": ["text", number, {"more": [number] * 5}] for number in range(20)}


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer every request after the same work."""
    if scope["type"] != "http":
        return
    body = b""
    for _ in range(ROUNDS):
        body = json.dumps(json.loads(json.dumps(RECORD))).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Yardstick:
    """The server as a process of this one; raises RuntimeError when it does not start."""

    def __init__(self) -> None:
        self.port = free_ports(1)[0]
        command = [sys.executable, "-m", "uvicorn", "load.yardstick:app", "--port", str(self.port), "--log-level", "error"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("the yardstick's server did not start")
            time.sleep(0.05)  # a port gives no other sign

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}/"

    def _answers(self) -> bool:
        try:
            with closing(create_connection(("127.0.0.1", self.port), 1)):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()
