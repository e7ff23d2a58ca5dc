"""A server that receives webhooks, for targets on this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Delivery:
    """One request that was received."""

    headers: dict[str, str]
    body: bytes

    def payload(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """What was received; `statuses` are those of the first responses, 200 afterwards."""

    url: str
    statuses: list[int] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)

    def wait_for(self, count: int, seconds: float = 20.0) -> list[Delivery]:
        """The deliveries, once there are so many; raises AssertionError."""
        end = time.monotonic() + seconds
        while len(self.deliveries) < count:
            assert time.monotonic() < end, f"{len(self.deliveries)} deliveries within {seconds:g} s"
            time.sleep(0.05)
        return list(self.deliveries)


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    """A receiver that runs."""
    receiver = Receiver("", list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.deliveries.append(Delivery({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
