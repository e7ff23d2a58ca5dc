"""Options that take a path, on a pytest command line: how pytest finds this project's configuration in spite of them.

pytest looks for its configuration before it knows any plugin's options, and takes the path behind `--env-file` for a path of
tests: a file outside the checkout hides the project's configuration. Written as `--env-file=PATH` it does not. So the
checkout's own virtual environment holds one file `release_gate.pth` (see Python's module `site`), written by
`python -m gate.arguments`, which makes the checkout importable and, where pytest is started inside it, has the arguments
joined before pytest reads them. In any other folder it imports nothing and changes no argument.

This module is imported while the interpreter starts: it imports nothing but the standard library, and little of that.
"""

from __future__ import annotations

import os
import sys

PATH_OPTIONS = (
    "--env-file",
    "--worker-env-file",
    "--production-env-file",
    "--spec",
    "--out",
    "--baseline",
    "--history",
    "--policy",
    "--wait-for-release",
    "--rehearsal",
)
FILE = "release_gate.pth"


def joined(arguments: list[str]) -> list[str]:
    """The same arguments with `--env-file PATH` written as `--env-file=PATH`, and the like."""
    found: list[str] = []
    for number, argument in enumerate(arguments):
        if argument == "--":
            return found + arguments[number:]
        if found and found[-1] in PATH_OPTIONS and not argument.startswith("-"):
            found[-1] += f"={argument}"
        else:
            found.append(argument)
    return found


def join_for_pytest() -> None:
    """Join the arguments of this process where it is pytest's; called by the line of `release_gate.pth`."""
    if any(os.path.basename(argument) in ("pytest", "py.test") for argument in sys.orig_argv[1:]):
        sys.argv[1:] = joined(sys.argv[1:])


def startup_file(checkout: str) -> str:
    """The content of `release_gate.pth` for a checkout: its path, and one line that Python runs when it starts."""
    inside = f"'pytest' in str(sys.orig_argv) and os.path.join(os.getcwd(), '').startswith({os.path.join(checkout, '')!r})"
    return f"{checkout}\nimport os, sys; {inside} and __import__('gate.arguments').arguments.join_for_pytest()\n"


def main() -> int:
    """Write `release_gate.pth` into this interpreter's virtual environment; returns the exit code."""
    import sysconfig

    if sys.prefix == sys.base_prefix:
        print("this Python is not one of a virtual environment, and is left as it is: run `make`")
        return 4
    checkout = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    with open(os.path.join(sysconfig.get_path("purelib"), FILE), "w", encoding="utf-8") as file:
        file.write(startup_file(checkout))
    return 0


if __name__ == "__main__":
    sys.exit(main())
