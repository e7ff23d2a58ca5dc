"""Command line: `python -m twin up` and `python -m twin faults`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from twin import catalogue
from twin.faults import REGISTRY, UnknownFault, change_for, find
from twin.plan import Plan, write_env
from twin.processes import TwinError
from twin.supervisor import Twin

USAGE_ERROR = 4
DEFAULT_SPEEDUP = 60.0
OWNER_CHECK_SECONDS = 0.5


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m twin", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="run the twin until interrupted")
    up.add_argument("--fault", action="append", default=[], metavar="ID", help="break it (repeatable)")
    up.add_argument("--env-file", type=Path, metavar="PATH", help="write what `--target live --env-file` accepts")
    up.add_argument("--worker-env-file", type=Path, metavar="PATH", help="write the worker's environment")
    up.add_argument("--speedup", type=float, default=DEFAULT_SPEEDUP, help="divide the worker's waits (default 60)")
    up.add_argument(
        "--set", action="append", default=[], metavar="SERVICE.NAME=VALUE", help="change a variable of api or worker"
    )
    up.add_argument("--sql", action="append", default=[], metavar="STATEMENT", help="run as the database's owner")
    up.add_argument("--replace", action="append", default=[], nargs=3, metavar=("PATH", "OLD", "NEW"), help="change the source")
    up.add_argument("--behaviour", action="append", default=[], metavar="PART.KEY=JSON", help="change a double")
    up.add_argument("--owner-pid", type=int, help="stop when this process is gone")
    commands.add_parser("faults", help="list the faults")
    return parser


def _list_faults() -> int:
    for item in REGISTRY.values():
        print(f"{item.id}  {item.component:<12} {','.join(item.suites):<28} {item.title}")
    return 0


def _wait(stop: threading.Event, owner: int | None) -> None:
    while not stop.wait(OWNER_CHECK_SECONDS):
        if owner is not None:
            try:
                os.kill(owner, 0)
            except ProcessLookupError:
                return


def _by_hand(arguments: argparse.Namespace) -> Callable[[Plan], None]:
    """Damage that has no name: whatever the options describe, after the named faults."""
    named = change_for(find(arguments.fault))

    def change(plan: Plan) -> None:
        named(plan)
        # Damage by hand may well keep a service from starting; that is for the gate to find.
        plan.may_die = plan.may_die or bool(arguments.sql or arguments.replace or arguments.set)
        plan.sql += arguments.sql
        for path, old, new in arguments.replace:
            plan.replace_in_source(path, old, new)
        for text in arguments.behaviour:
            place, _, value = text.partition("=")
            part, _, key = place.partition(".")
            plan.config.behaviour.setdefault(part, {})[key] = json.loads(value)
        for text in arguments.set:
            place, _, value = text.partition("=")
            service, _, name = place.partition(".")
            if service not in ("api", "worker") or not name or "=" not in text:
                raise UnknownFault(f"--set {text.partition('=')[0]}: expected api.NAME=VALUE or worker.NAME=VALUE")
            (plan.set_api if service == "api" else plan.set_worker)(name, value)

    return change


def _up(arguments: argparse.Namespace) -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    started = time.monotonic()
    with Twin(arguments.speedup, _by_hand(arguments)) as twin:
        if arguments.worker_env_file:
            write_env(arguments.worker_env_file, twin.config.worker_env)
        if arguments.env_file:
            # Written last and moved into place: its presence says that the twin answers. It is the caller's file and
            # stays, as a reminder of a target that no longer answers.
            draft = arguments.env_file.with_name(arguments.env_file.name + ".part")
            write_env(draft, twin.config.operator_env)
            draft.replace(arguments.env_file)
        faults = ", ".join(arguments.fault) or "none"
        print(f"twin is up at {twin.config.url('api')} after {time.monotonic() - started:.1f} s")
        print(f"  speed-up {arguments.speedup:g}, faults {faults}, logs in {twin.folder}; Ctrl-C ends it", flush=True)
        _wait(stop, arguments.owner_pid)
    return 0


def main() -> int:
    """Run the command; returns the exit code."""
    catalogue.load()
    arguments = _parser().parse_args()
    if getattr(arguments, "env_file", None):
        arguments.env_file.unlink(missing_ok=True)
    if arguments.command == "faults":
        return _list_faults()
    try:
        return _up(arguments)
    except UnknownFault as error:
        print(f"twin: {error}", file=sys.stderr)
        return USAGE_ERROR
    except (TwinError, ValueError) as error:
        print(f"twin: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
