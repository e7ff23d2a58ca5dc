"""A process that loads libraries once, and forks the twin's Python processes from itself: `nursery.py DESCRIPTOR`.

Each of them would need a second or two to load the same libraries. What it is asked for, and what it reports, are lines of JSON
over the socket DESCRIPTOR: an `Order` comes in; `{"born": pid}` answers it, and `{"pid": pid, "code": code}` tells of an end.
It ends when the other side closes the socket, and its children with it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TypedDict

# In this order; the doubles need the first ones only, and are not kept waiting for the others.
OF_DOUBLES = (
    "uvicorn",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "starlette.applications",
    "starlette.routing",
    "cryptography.x509",
    "trustme",
    "httpx",
    "asyncpg",
    "jwt",
    "numpy",
)
OF_SERVICES = ("fastapi", "storage3", "supabase_auth", "openai", "anthropic")
PR_SET_PDEATHSIG = 1
FULL = 65536


class Order(TypedDict):
    """What is to run: Python's arguments, in which environment and folder; `log` takes its output.

    `is_service` where it wants the libraries of services too.
    """

    arguments: list[str]
    env: dict[str, str]
    cwd: str
    log: str
    is_service: bool


class Nursery:
    """Loads, forks, and reports ends."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._orders: list[Order] = []
        self._children: set[int] = set()
        self._bell, self._rope = os.pipe()
        os.set_blocking(self._rope, False)
        signal.set_wakeup_fd(self._rope, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # Its children are ended one by one; it ends when the line is closed.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def run(self) -> Order | None:
        """Serve until the line is closed (None); in a child, what it is to become."""
        for is_ready in self._load():
            self._listen(0)
            if (order := self._fork(is_ready)) is not None:
                return order
        while self._listen(None):
            if (order := self._fork(is_ready=True)) is not None:
                return order
        return None

    def _load(self) -> Iterator[bool]:
        """Load one library after another; yields whether services can be forked yet."""
        for library in OF_DOUBLES:
            _load(library)
        yield False
        for library in OF_SERVICES:
            _load(library)
            yield False
        # As servers do that are loaded before they serve: the collector need not look through libraries.
        gc.freeze()
        yield True

    def _listen(self, seconds: float | None) -> bool:
        """Take what comes within these seconds; False when the line is closed."""
        line = self._line.fileno()
        ready, _, _ = select.select([line, self._bell], [], [], seconds)
        if self._bell in ready:
            os.read(self._bell, FULL)
            self._report()
        if line not in ready:
            return True
        came = self._line.recv(FULL)
        while came and not came.endswith(b"\n"):
            came += self._line.recv(FULL)
        self._orders += map(json.loads, came.splitlines())
        return bool(came)

    def _fork(self, is_ready: bool) -> Order | None:
        """Fork what is ordered and can run already; in the child, its order."""
        while self._orders and (is_ready or not self._orders[0]["is_service"]):
            order = self._orders.pop(0)
            pid = os.fork()
            if pid == 0:
                self._leave()
                return order
            # Here too, so that it leads a group of its own before anybody knows of it.
            with suppress(OSError):
                os.setpgid(pid, pid)
            self._children.add(pid)
            self._say({"born": pid})
        return None

    def _leave(self) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        for descriptor in (self._bell, self._rope):
            os.close(descriptor)
        self._line.close()

    def _report(self) -> None:
        for pid in tuple(self._children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._children.remove(pid)
                self._say({"pid": pid, "code": os.waitstatus_to_exitcode(status)})

    def _say(self, what: dict[str, int]) -> None:
        with suppress(BrokenPipeError):
            self._line.sendall(json.dumps(what).encode() + b"\n")


def _load(library: str) -> None:
    # What cannot be loaded raises where it is used.
    with suppress(Exception):
        importlib.import_module(library)


def become(order: Order) -> None:
    """Be the process that was ordered, as if Python had been given its arguments; what it raises ends it."""
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    further = [path for path in order["env"].get("PYTHONPATH", "").split(os.pathsep) if path]
    first, *others = order["arguments"]
    if first == "-m":
        sys.path[:0] = [order["cwd"], *further]
        sys.argv = others
        runpy.run_module(others[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[:0] = [os.path.dirname(os.path.abspath(first)), *further]
        sys.argv = [first, *others]
        runpy.run_path(first, run_name="__main__")


def main() -> None:
    """Serve, and in a child become what was ordered."""
    # What stands beside this file is the twin's.
    del sys.path[0]
    order = Nursery(socket.socket(fileno=int(sys.argv[1]))).run()
    if order is not None:
        become(order)


if __name__ == "__main__":
    main()
