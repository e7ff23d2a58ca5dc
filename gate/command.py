"""What a command line asks for, as far as it shows before anything else is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gate.places import TESTS

# With these, pytest only lists checks or shows help.
QUIET_OPTIONS = ("collectonly", "showfixtures", "show_fixtures_per_test", "markers", "help", "version")


def are_tests(arguments: Iterable[object]) -> bool:
    """Whether files and folders are named, and all of them are the project's own tests."""
    named = [Path(str(argument).partition("::")[0]).resolve() for argument in arguments]
    return bool(named) and all(path == TESTS or TESTS in path.parents for path in named)
