"""Render's double in this process, on a port of its own."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from tests.conftest import ROOT
from twin.config import TwinConfig
from twin.doubles.render import create_app

KEY = "key-of-a-test"
TEXTS = ("database_admin_url", "jwt_secret", "anon_key", "service_role_key", "openai_key", "llamaparse_key", "anthropic_key")
FILES = ("folder", "ca_file", "cert_file", "key_file")
START_SECONDS = 10


def configuration(
    api_env: dict[str, str] | None = None, worker_env: dict[str, str] | None = None, **behaviour: Any
) -> TwinConfig:
    """What the double of an account reads of a twin."""
    texts = dict.fromkeys(TEXTS, "x") | {"project_ref": "ref", "commit": "c" * 40, "render_key": KEY}
    values: dict[str, Any] = {name: str(ROOT) for name in FILES} | texts | {"ports": {"api": 1}, "speedup": 1}
    return TwinConfig(**values, api_env=api_env or {}, worker_env=worker_env or {}, behaviour=behaviour)


@contextmanager
def serving(config: TwinConfig) -> Iterator[str]:
    """The base URL of the double with this configuration."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(config), log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        end = time.monotonic() + START_SECONDS
        while not server.started and time.monotonic() < end:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)
