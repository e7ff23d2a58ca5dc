"""Command line: `python -m twin up`, `python -m twin faults`, `python -m twin variants`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from twin import damage
from twin.changes import CatalogueError, UsageError
from twin.envfile import write_env
from twin.processes import TwinError
from twin.running import RunningTwin
from twin.systems import DEFAULT, SYSTEMS, System

USAGE_ERROR = 4
DEFAULT_SPEEDUP = 60.0
OWNER_CHECK_SECONDS = 0.5


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m twin", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="run the twin until interrupted")
    damage.add_options(up)
    up.add_argument("--env-file", type=Path, metavar="PATH", help="write what `--target live --env-file` accepts")
    up.add_argument("--worker-env-file", type=Path, metavar="PATH", help="write the worker's environment")
    up.add_argument("--speedup", type=float, default=DEFAULT_SPEEDUP, help="divide the worker's waits (default 60)")
    up.add_argument("--drills", action="store_true", help="with what breaks and mends its parts while it runs")
    up.add_argument("--nursery", type=int, metavar="DESCRIPTOR", help="the line to what has begun to load its libraries")
    up.add_argument("--owner-pid", type=int, help="stop when this process has ended")
    listings = [
        commands.add_parser("faults", help="list the faults, one a line"),
        commands.add_parser("variants", help="list the variants, one a line"),
    ]
    listings[0].add_argument("--json", action="store_true", help="for machines: a list of objects")
    for command in (up, *listings):
        command.add_argument("--system", choices=sorted(SYSTEMS), default=DEFAULT, help=f"default {DEFAULT}")
    return parser


def _wait(stop: threading.Event, owner: int | None) -> None:
    while not stop.wait(OWNER_CHECK_SECONDS):
        if owner is not None:
            try:
                os.kill(owner, 0)
            except ProcessLookupError:
                return


def _write_env_files(twin: RunningTwin, arguments: argparse.Namespace) -> None:
    if arguments.worker_env_file:
        if twin.worker_env is None:
            raise UsageError(f"--worker-env-file: the {arguments.system} has no worker")
        write_env(arguments.worker_env_file, twin.worker_env)
    if arguments.env_file:
        # Written last and renamed: once the file exists, the twin responds. It belongs to the caller and is kept when
        # the twin stops.
        draft = arguments.env_file.with_name(arguments.env_file.name + ".part")
        write_env(draft, twin.operator_env)
        draft.replace(arguments.env_file)


def _up(system: System[Any], arguments: argparse.Namespace) -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    started = time.monotonic()
    if arguments.drills and not system.has_drills:
        raise UsageError(f"--drills: the {arguments.system} has none")
    twin = system.twin(arguments.speedup, damage.change_for(system, arguments), arguments.drills)
    if arguments.nursery is not None and not arguments.drills:
        twin.processes.adopt(arguments.nursery)
    with twin:
        _write_env_files(twin, arguments)
        faults, variants = (", ".join(ids) or "none" for ids in (arguments.fault, arguments.variant))
        print(f"twin is up at {twin.url} after {time.monotonic() - started:.1f} s")
        print(f"  speed-up {arguments.speedup:g}, faults {faults}, variants {variants}")
        print(f"  logs in {twin.folder}; Ctrl-C stops it", flush=True)
        _wait(stop, arguments.owner_pid)
    return 0


def _list(system: System[Any], what: str) -> int:
    for change in (system.faults if what == "faults" else system.variants).values():
        print(change)
    return 0


def _list_as_data(system: System[Any]) -> int:
    print(json.dumps([fault.as_data() for fault in system.faults.values()], indent=1))
    return 0


def main() -> int:
    """Run the command; returns the exit code."""
    arguments = _parser().parse_args()
    system = SYSTEMS[arguments.system]
    try:
        system.load()
        if arguments.command == "faults" and arguments.json:
            return _list_as_data(system)
        if arguments.command != "up":
            return _list(system, arguments.command)
        if arguments.env_file:
            arguments.env_file.unlink(missing_ok=True)
        return _up(system, arguments)
    except UsageError as error:
        print(f"twin: {error}", file=sys.stderr)
        return USAGE_ERROR
    except (TwinError, CatalogueError, ValueError) as error:
        print(f"twin: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
