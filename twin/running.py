"""A running twin of any system: its folder, its processes, and how to wait for them."""

from __future__ import annotations

import shutil
import socket
import ssl
import time
from abc import ABC, abstractmethod
from http.client import HTTPException, HTTPSConnection
from typing import Self

from twin.installation import make_folder
from twin.processes import START_SECONDS, Processes, TwinError

PROBE_SECONDS = 0.03


class RunningTwin(ABC):
    """Use as a context manager."""

    def __init__(self, prefix: str) -> None:
        self.folder = make_folder(prefix)
        self.processes = Processes(self.folder)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def start(self) -> None:
        """Start everything; raises TwinError when a part does not come up."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Base URL of the API."""

    @property
    @abstractmethod
    def operator_env(self) -> dict[str, str]:
        """The settings that the gate is given."""

    @property
    def worker_env(self) -> dict[str, str] | None:
        """The worker's environment, or None when the system has no worker."""
        return None

    def stop(self) -> None:
        """End all processes, by pid, and remove the folder."""
        self.processes.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def await_port(self, name: str, port: int) -> None:
        """Wait until the process listens; raises TwinError when it ends or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
                return
            except OSError as error:
                if self.processes.has_ended(name) or time.monotonic() > deadline:
                    raise TwinError(f"{name} did not begin to listen: {self.processes.tail(name)}") from error
                time.sleep(PROBE_SECONDS)

    def await_response(self, name: str, port: int, path: str, context: ssl.SSLContext, may_die: bool) -> None:
        """Wait until the process responds; raises TwinError when it ends (unless `may_die`) or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                connection = HTTPSConnection("localhost", port, timeout=10, context=context)
                connection.request("GET", path, headers={"Host": f"localhost:{port}"})
                connection.getresponse().read()
                connection.close()
                return
            except (TimeoutError, OSError, HTTPException) as error:
                if self.processes.has_ended(name):
                    if may_die:
                        return
                    raise TwinError(f"{name} ended at start-up: {self.processes.tail(name)}") from error
                if time.monotonic() > deadline:
                    raise TwinError(f"{name} did not respond: {self.processes.tail(name)}") from error
                time.sleep(PROBE_SECONDS)


def uvicorn_command(port: int, cert_file: str, key_file: str) -> list[str]:
    """Arguments of Python that serve `main:app` over TLS on loopback."""
    command = ["-m", "uvicorn", "main:app", "--host", "127.0.0.1", "--port", str(port), "--timeout-keep-alive", "75"]
    command += ["--ssl-certfile", cert_file, "--ssl-keyfile", key_file]
    return [*command, "--no-access-log", "--timeout-graceful-shutdown", "1"]


def any_certificate() -> ssl.SSLContext:
    """TLS that trusts any certificate: checking the API's certificate is the gate's task."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
