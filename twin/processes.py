"""The twin's processes: each writes a log of its own and is ended by its process id."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from twin.forked import Forked, Line
from twin.nursery import PR_SET_PDEATHSIG
from twin.pids import Pids

START_SECONDS = 30.0
STOP_SECONDS = 5.0
TAIL_LINES = 5


class TwinError(RuntimeError):
    """The twin could not be started; the message says which part and why."""


def _die_with_parent(number: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def prepare() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, number)

    return prepare


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TwinError(f"{name} cannot be started: {error}") from error


def _has_site(env: Mapping[str, str]) -> bool:
    """Whether Python runs a `sitecustomize` of one of these folders when it starts."""
    folders = filter(None, env.get("PYTHONPATH", "").split(os.pathsep))
    return any((Path(folder) / "sitecustomize.py").exists() for folder in folders)


class Processes:
    """Processes that write `<name>.log` into one folder, and stand in its `pids.json`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pids = Pids(folder)
        self._started: dict[str, float] = {}
        self._starts: dict[str, int] = {}
        self._running: dict[str, subprocess.Popen[bytes] | Forked] = {}
        self._nursery: Line | None = None

    def spawn(
        self,
        name: str,
        command: list[str],
        env: Mapping[str, str],
        cwd: Path | None = None,
        user: pwd.struct_passwd | None = None,
        death: int = signal.SIGTERM,
    ) -> None:
        """Start a process, as another user if one is given; it gets the signal `death` when this process ends.

        Raises TwinError when the system refuses.
        """
        with _named(name), (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd or self.folder,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
                start_new_session=True,
                preexec_fn=_die_with_parent(death),
            )
        self._note_start(name)

    def adopt(self, descriptor: int) -> None:
        """Have a process that loads libraries already, and that listens on this line."""
        self._nursery = Line.to(descriptor)

    def load(self, env: Mapping[str, str]) -> None:
        """Have the libraries of Python processes loaded once; raises TwinError when the system refuses."""
        if self._nursery is not None:
            return
        with _named("what loads the libraries"):
            self._nursery = Line.new(env, self.folder / "nursery.log")

    def fork(
        self, name: str, arguments: list[str], env: Mapping[str, str], cwd: Path | None = None, is_service: bool = False
    ) -> None:
        """Start a Python process with these arguments, where libraries are loaded for it; see `spawn`."""
        # What a release does before anything is imported cannot be done once the libraries are loaded.
        if self._nursery is None or _has_site(env):
            self.spawn(name, [sys.executable, *arguments], env, cwd)
            return
        log, folder = self.folder / f"{name}.log", str(cwd or self.folder)
        with _named(name):
            self._running[name] = self._nursery.order(
                {"arguments": arguments, "env": dict(env), "cwd": folder, "log": str(log), "is_service": is_service}
            )
        self._note_start(name)

    def _note_start(self, name: str) -> None:
        self._started[name] = time.monotonic()
        self._starts[name] = self._starts.get(name, 0) + 1
        self._pids.started(name, self._running[name].pid)

    def overview(self) -> dict[str, dict[str, str | int]]:
        """Of each process by its name its state (`running` or `ended`), its id, and how often it was started."""
        found: dict[str, dict[str, str | int]] = {}
        for name, process in list(self._running.items()):
            state = "running" if process.poll() is None else "ended"
            found[name] = {"state": state, "pid": process.pid, "starts": self._starts[name]}
        return found

    def has(self, name: str) -> bool:
        """Whether a process of this name was started, and not ended on purpose."""
        return name in self._running

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process and those that it started itself; nothing happens where it has ended."""
        process = self._running[name]
        if process.poll() is None:
            with suppress(ProcessLookupError):
                # Each process of the twin leads a group of its own.
                os.killpg(process.pid, number)

    def pid(self, name: str) -> int:
        """The id of a process."""
        return self._running[name].pid

    def kill(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process and those that it started itself, and wait until it has ended."""
        self.send(name, number)
        self._running[name].wait()

    def note_death(self, name: str, memory_limit: float = 0.0) -> float | None:
        """Note that a process has ended, by itself or for its memory (bytes); the seconds that it ran, None where it runs."""
        code = self._running[name].poll()
        if code is None:
            return None
        self._pids.died(name, code, memory_limit)
        return time.monotonic() - self._started[name]

    def has_ended(self, name: str) -> bool:
        """Whether the process is no longer running."""
        return self._running[name].poll() is not None

    def end(self, name: str) -> None:
        """End one process by its pid, as a host does before it starts the next one."""
        process = self._running.pop(name)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._pids.ended(name)

    def finish(self, name: str, seconds: float) -> None:
        """Wait for a process that ends by itself; raises TwinError when it fails or takes longer."""
        try:
            code = self._running[name].wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise TwinError(f"{name} did not end within {seconds:g} s: {self.tail(name)}") from error
        del self._running[name]
        self._pids.ended(name)
        if code != 0:
            raise TwinError(f"{name} failed: {self.tail(name)}")

    def stop(self) -> None:
        """End all of them by pid, the last one first; kills those that take longer than 5 s."""
        for name, process in reversed(list(self._running.items())):
            if process.poll() is None:
                # On SIGTERM PostgreSQL waits until its last client disconnects.
                process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in list(self._running.values()):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    def tail(self, name: str) -> str:
        """The last lines of the process's log, joined into one."""
        try:
            text = (self.folder / f"{name}.log").read_text(errors="replace")
        except OSError:
            return "no log"
        return " | ".join(text.strip().splitlines()[-TAIL_LINES:])


def path_only() -> dict[str, str]:
    """A minimal environment: only PATH."""
    return {"PATH": os.environ.get("PATH", "")}
