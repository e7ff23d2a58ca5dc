"""Runs the conformance cases against the doubles of a twin, or against the vendors: `python -m proof.conformance`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gate.exit_codes import ExitCode
from gate.settings import ConfigurationError
from proof.conformance import page
from proof.conformance.results import Case, Results
from proof.targets import running

FOLDER = Path(__file__).parent
# The cases ask for what a key of limited scope is refused.
FULL_RIGHTS = ("--behaviour", 'openai.rights="admin"')
PROCESSES = 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m proof.conformance", description=__doc__)
    parser.add_argument("--target", choices=("twin", "live"), default="twin")
    parser.add_argument("--env-file", type=Path, metavar="PATH", help="settings of the live target; default: the environment")
    parser.add_argument("--variant", action="append", default=[], metavar="ID", help="of the twin; may be given more than once")
    parser.add_argument("--allow-writes", action="store_true", help="with --target live: also create, change and spend there")
    parser.add_argument("--page", action="store_true", help="write docs/conformance.md")
    parser.add_argument("-k", metavar="EXPRESSION", help="only cases whose names match")
    parser.add_argument("cases", nargs="*", metavar="FILE", help="only these files")
    return parser


@contextmanager
def _settings(arguments: argparse.Namespace) -> Iterator[list[str]]:
    """The options that name the target's settings, while the target exists."""
    if arguments.target == "live":
        named = ["--settings", str(arguments.env_file)] if arguments.env_file else []
        yield ["--live", *named, *(["--allow-writes"] if arguments.allow_writes else [])]
        return
    with running([*FULL_RIGHTS, *(word for id in arguments.variant for word in ("--variant", id))]) as target:
        yield ["--settings", str(target.env_file)]


def _report(cases: list[Case], is_live: bool) -> None:
    failed = [case for case in cases if case.outcome == "failed"]
    for case in failed:
        print(f"{'the double is out of date: ' if is_live else ''}{case.vendor}: {case.operation}")
    skipped = sum(case.outcome == "skipped" for case in cases)
    print(f"{len(cases) - len(failed) - skipped} of {len(cases)} cases pass, {skipped} not run")


def main(arguments: argparse.Namespace) -> int:
    """Run the cases; returns pytest's exit code, or 4 for a target that cannot be used."""
    results = Results()
    chosen = [*(arguments.cases or [str(FOLDER)]), *(["-k", arguments.k] if arguments.k else [])]
    try:
        with _settings(arguments) as settings:
            # They wait most of their time.
            beside = [] if arguments.target == "live" else ["-n", str(PROCESSES), "--dist", "loadscope"]
            command = ["-c", str(FOLDER / "pytest.ini"), f"--rootdir={FOLDER}", f"--confcutdir={FOLDER}", *settings, *beside]
            code = int(pytest.main([*command, *chosen], plugins=[results]))
    except ConfigurationError as error:
        print(f"conformance: {error}", file=sys.stderr)
        return ExitCode.USAGE
    _report(results.cases, arguments.target == "live")
    if arguments.page:
        page.write(results.cases)
    return code


if __name__ == "__main__":
    sys.exit(main(_parser().parse_args()))
