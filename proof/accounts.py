"""Render's double in this process, on a port of its own, with one account after another."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from twin.config import TwinConfig
from twin.doubles.render import create_app

START_SECONDS = 10
PROBE_SECONDS = 0.01


class Account:
    """A server of the double; `use` puts another account in the place of the one before."""

    def __init__(self, config: TwinConfig) -> None:
        self.url = ""
        self.use(config)

    def use(self, config: TwinConfig) -> None:
        """Serve the account of this configuration from now on."""
        self._app = create_app(config)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The base URL of a server of this application."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        end = time.monotonic() + START_SECONDS
        while not server.started and time.monotonic() < end:
            time.sleep(PROBE_SECONDS)  # the server offers no other sign
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)


@contextmanager
def account(config: TwinConfig) -> Iterator[Account]:
    """A server of the double, of this configuration at first."""
    one = Account(config)
    with served(one) as one.url:
        yield one
