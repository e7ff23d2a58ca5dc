"""Servers and Locust runs of the benchmarks as processes, each on a core of its own where there are enough."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import create_connection

from gate.places import ROOT
from load.bench.results import ClosedResult, OpenResult, R, printed
from load.ports import free_port

HERE = Path(__file__).parent
START_SECONDS = 20.0
PROBE_SECONDS = 0.05
TAIL = 500


@contextmanager
def running(command: Sequence[str], port: int) -> Iterator[None]:
    """A server as a process, from its first answer on; raises RuntimeError when it does not start."""
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + START_SECONDS
    try:
        while True:
            try:
                create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start") from None
                time.sleep(PROBE_SECONDS)  # a port gives no other sign
        yield
    finally:
        process.terminate()
        process.wait()


def asgi(port: int, core: int | None = None, arguments: Sequence[str] = ()) -> list[str]:
    """Command of the bare ASGI server."""
    return [*on_core(core), sys.executable, "-m", "load.bench.server", str(port), *arguments]


def on_core(core: int | None) -> list[str]:
    """Prefix of a command that may use one core only."""
    return ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") and (os.cpu_count() or 1) > core else []


def _locust(file: str, port: int, arguments: Sequence[str], core: int | None = None) -> list[str]:
    """Command of a Locust run with one of the bench's locustfiles."""
    return [*on_core(core), sys.executable, "-m", "locust", "-f", str(HERE / file), "--host", f"http://127.0.0.1:{port}",
            "--only-summary", "--stop-timeout", "10", *arguments]  # fmt: skip


def _result(kind: type[R], command: Sequence[str]) -> R:
    """What a locustfile of the bench printed; raises RuntimeError with the end of its log."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    found = printed(kind, done.stdout)
    if found is None:
        raise RuntimeError(f"no result: {done.stderr[-TAIL:]}")
    return found


def open_run(
    port: int, rate: float, seconds: float, core: int | None = None, workers: int = 1, numbered: bool = False
) -> OpenResult:
    """Open arrivals in one process, or in a master and workers (each on a core of its own, where there are enough)."""
    usual = ["--bench-rate", str(rate), "--bench-seconds", str(seconds), *(["--bench-numbered"] if numbered else [])]
    if workers == 1:
        return _result(OpenResult, _locust("open_arrivals.py", port, [*usual, "--headless", "-u", "1"], core))
    bus, count = str(free_port()), str(workers)
    master = ["--headless", "--master", "--master-bind-port", bus, "--expect-workers", count, "-u", count, "-r", count]
    with ExitStack() as stack:
        for number in range(workers):
            stack.enter_context(_beside(_locust("open_arrivals.py", port, [*usual, "--worker", "--master-port", bus], number)))
        return _result(OpenResult, _locust("open_arrivals.py", port, [*usual, *master]))


@contextmanager
def _beside(command: Sequence[str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def closed_run(port: int, user: str, users: int, seconds: float, core: int | None = None, pace: float = 0) -> ClosedResult:
    """Plain Locust with users of a class of closed_loop.py."""
    arguments = [user, "--headless", "-u", str(users), "-r", str(users), "-t", f"{seconds:g}s", "--bench-pace", str(pace)]
    return _result(ClosedResult, _locust("closed_loop.py", port, arguments, core))
