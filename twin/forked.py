"""The twin's side of the nursery: processes that it has forked, used as those that `subprocess` starts."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from twin.nursery import FULL, Order

SCRIPT = Path(__file__).parent / "nursery.py"
# Until its libraries are loaded, on a machine that is busy with others.
BIRTH_SECONDS = 60.0
# The child notices by itself that the line is closed.
CLOSE_SECONDS = 5.0


@contextmanager
def _closed_on_error(line: socket.socket) -> Iterator[None]:
    try:
        yield
    except OSError:
        line.close()
        raise


class Line:
    """The line to the nursery; several threads may ask it."""

    def __init__(self, line: socket.socket, process: subprocess.Popen[bytes] | None) -> None:
        self._line = line
        self._process = process
        self._read = b""
        self._born: list[int] = []
        self._codes: dict[int, int] = {}
        self._is_gone = False
        self._lock = threading.Lock()

    @classmethod
    def to(cls, descriptor: int) -> Line:
        """The line to a nursery that somebody else has started, and will wait for."""
        return cls(socket.socket(fileno=descriptor), None)

    @classmethod
    def new(cls, env: Mapping[str, str], log: Path) -> Line:
        """The line to a new one; raises OSError when the system refuses."""
        own, other = socket.socketpair()
        with log.open("ab") as output, other, _closed_on_error(own):
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), str(other.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env,
                pass_fds=[other.fileno()],
                start_new_session=True,
            )
        return cls(own, process)

    def order(self, order: Order) -> Forked:
        """A new process; raises OSError when the nursery does not answer."""
        with self._lock:
            self._line.sendall(json.dumps(order).encode() + b"\n")
            deadline = time.monotonic() + BIRTH_SECONDS
            while not self._born:
                self._listen(deadline - time.monotonic())
                if self._is_gone or time.monotonic() > deadline:
                    raise OSError("the process that has loaded its libraries does not answer")
            return Forked(self, self._born.pop())

    def code(self, pid: int, seconds: float = 0.0) -> int | None:
        """How a process ended, within these seconds; None while it runs."""
        deadline = time.monotonic() + seconds
        with self._lock:
            self._listen(0.0)
            while pid not in self._codes and not self._is_gone and (left := deadline - time.monotonic()) > 0:
                self._listen(left)
            # What the nursery leaves behind is ended with it.
            return self._codes.get(pid, -signal.SIGTERM if self._is_gone else None)

    def _listen(self, seconds: float) -> None:
        ready, _, _ = select.select([self._line], [], [], max(0.0, seconds))
        if not ready:
            return
        came = self._line.recv(FULL)
        self._is_gone = not came
        *lines, self._read = (self._read + came).split(b"\n")
        for said in map(json.loads, lines):
            if "born" in said:
                self._born.append(said["born"])
            else:
                self._codes[said["pid"]] = said["code"]

    def close(self) -> None:
        """End the nursery, and what it still has, by the end of their line."""
        self._line.close()
        if self._process is None:
            return
        try:
            self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Forked:
    """One process of the nursery's."""

    def __init__(self, line: Line, pid: int) -> None:
        self._line = line
        self.pid = pid

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._line.code(self.pid)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; raises subprocess.TimeoutExpired."""
        while True:
            code = self._line.code(self.pid, BIRTH_SECONDS if timeout is None else timeout)
            if code is not None:
                return code
            if timeout is not None:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)
