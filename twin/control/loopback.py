"""What `localhost` means in one process: an address of the loopback network, at which that process's own links begin.

The text of this module is copied beside the `sitecustomize` of the twin's processes, and so imports nothing of the twin.
"""

from __future__ import annotations

import os
import runpy
import signal
import socket
import sys
from pathlib import Path
from typing import Any

ADDRESS, CLOCK = "TWIN_LOCALHOST", "TWIN_CLOCK"
PR_SET_PDEATHSIG = 1
LOCALHOST = ("localhost", b"localhost")


def use(address: str) -> None:
    """From now on `localhost` is this address."""
    usual = socket.getaddrinfo

    def found(host: Any, *arguments: Any, **more: Any) -> Any:
        return usual(address if host in LOCALHOST else host, *arguments, **more)

    socket.getaddrinfo = found
    # It finds addresses past this function: servers take the usual loop where it cannot be loaded.
    sys.modules["uvloop"] = None  # type: ignore[assignment]


def die_with_parent() -> None:
    """Have the system end this process when its parent does, even where it stands still."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run_next(own: str) -> None:
    """Run the `sitecustomize` that the release itself has, which this one hides."""
    folders = [Path(folder) for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    for folder in folders:
        file = folder / "sitecustomize.py"
        if file.is_file() and file.resolve() != Path(own).resolve():
            runpy.run_path(str(file))
            return


def begin(own: str) -> None:
    """What the process's environment asks for; raises nothing that would keep the process from starting."""
    die_with_parent()
    if address := os.environ.get(ADDRESS):
        use(address)
    if seconds := os.environ.get(CLOCK):
        import twin_clock  # type: ignore[import-not-found, unused-ignore]

        twin_clock.shift(float(seconds))
    try:
        run_next(own)
    except Exception as error:
        print(f"sitecustomize: {error!r}", file=sys.stderr)
