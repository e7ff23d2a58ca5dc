"""Changes of the plan that the command line requests, by id or by hand."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from twin.changes import Change, UsageError, find_in, in_order
from twin.release import Release
from twin.systems import System


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of `up` that change the healthy twin."""
    parser.add_argument("--variant", action="append", default=[], metavar="ID", help="a different, correct system (repeatable)")
    parser.add_argument("--fault", action="append", default=[], metavar="ID", help="break it (repeatable)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SERVICE.NAME=VALUE", help="change a variable of api or worker"
    )
    parser.add_argument("--sql", action="append", default=[], metavar="STATEMENT", help="run as the database's owner")
    parser.add_argument(
        "--replace", action="append", default=[], nargs=3, metavar=("PATH", "OLD", "NEW"), help="replace text in the source"
    )
    parser.add_argument("--behaviour", action="append", default=[], metavar="PART.KEY=JSON", help="change a double")


def change_for(system: System[Any], arguments: argparse.Namespace) -> Callable[[Release], None]:
    """One change: variants, then faults, then the options by hand. Raises UsageError, or UnknownId for an id."""
    chosen: list[Change[Any]] = [*find_in(system.variants, arguments.variant, "variants")]
    chosen += find_in(system.faults, arguments.fault, "faults")
    named = in_order(chosen)

    def change(plan: Release) -> None:
        named(plan)
        _by_hand(plan, arguments)

    return change


def _by_hand(plan: Release, arguments: argparse.Namespace) -> None:
    # Such a change may keep a service from starting; the gate must find that, not the twin.
    plan.may_die = plan.may_die or bool(arguments.sql or arguments.replace or arguments.set)
    plan.sql += arguments.sql
    for path, old, new in arguments.replace:
        plan.replace_in_source(path, old, new)
    for text in arguments.behaviour:
        place, _, value = text.partition("=")
        part, _, key = place.partition(".")
        plan.behaviour.setdefault(part, {})[key] = json.loads(value)
    for text in arguments.set:
        place, equals, value = text.partition("=")
        service, _, name = place.partition(".")
        if not name or not equals:
            raise UsageError(f"--set {place}: expected SERVICE.NAME=VALUE")
        try:
            plan.set_variable(service, name, value)
        except ValueError as error:
            raise UsageError(f"--set {place}: {error}") from error
