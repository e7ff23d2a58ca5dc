"""The twin as a process of whoever needs one: started, awaited by the file that it writes, and ended by pid."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from gate.nursery import Nursery
from gate.places import ROOT
from gate.settings import ConfigurationError, read_env_file

START_SECONDS = 60.0
# A twin that is killed cannot tidy up; on a busy machine it needs this long.
STOP_SECONDS = 20.0
PROBE_SECONDS = 0.02


class EmbeddedTwin:
    """One twin of a system, with its files in `folder`; it also ends when this process does."""

    def __init__(
        self,
        folder: Path,
        system: str = "navigator",
        faults: Sequence[str] = (),
        variants: Sequence[str] = (),
        arguments: Sequence[str] = (),
        nursery: Nursery | None = None,
    ) -> None:
        self.folder = folder
        named = [word for fault in faults for word in ("--fault", fault)]
        named += [word for variant in variants for word in ("--variant", variant)]
        self._arguments = ["--system", system, *arguments, *named]
        self._nursery = nursery
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def env_file(self) -> Path:
        """The operator's settings; its presence says that the twin answers."""
        return self.folder / "twin.env"

    def start(self) -> dict[str, str]:
        """The operator's settings; raises ConfigurationError with the twin's last line."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "twin", "up", "--env-file", str(self.env_file), "--owner-pid", str(os.getpid())]
        inherited = () if self._nursery is None else (self._nursery.descriptor(),)
        command += [word for line in inherited for word in ("--nursery", str(line))]
        log = self.folder / "twin.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, *self._arguments],
                cwd=ROOT,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=inherited,
            )
        if self._nursery is not None:
            self._nursery.hand_over()
        deadline = time.monotonic() + START_SECONDS
        while not self.env_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                lines = log.read_text(errors="replace").strip().splitlines() or ["the twin did not start"]
                self.stop()
                self._forget()
                raise ConfigurationError(lines[-1])
            time.sleep(PROBE_SECONDS)  # the process offers no other sign than the file
        return read_env_file(self.env_file)

    def stop(self) -> None:
        """End it, with force when it does not follow."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _forget(self) -> None:
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
        if not any(self.folder.parent.iterdir()):
            self.folder.parent.rmdir()
