"""A service's process that loads its libraries while its database is still being made: `warm.py GO COMMAND…`.

It runs Python's arguments COMMAND as if they had been given to Python itself, as soon as the file GO is there.
"""

import importlib
import os
import runpy
import sys
import time
from contextlib import suppress

LIBRARIES = ("uvicorn", "fastapi", "asyncpg", "httpx", "openai", "storage3", "supabase_auth")
PROBE_SECONDS = 0.005


def main(go: str, command: list[str]) -> None:
    """Load, wait, and run the command; what it raises ends the process, as it would without this."""
    # What stands beside this file is the twin's.
    del sys.path[0]
    for library in LIBRARIES:
        # What cannot be loaded is the service's to say.
        with suppress(Exception):
            importlib.import_module(library)
    while not os.path.exists(go):
        time.sleep(PROBE_SECONDS)
    if command[0] == "-m":
        sys.path.insert(0, os.getcwd())
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(command[0])))
        sys.argv = command
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
