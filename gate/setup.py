"""From nothing to an env file: `python -m gate.setup [--env-file .env.staging] [--from FILE] [--yes]`.

Reads what is there (the process environment over the env file, over --from FILE, over what the host declares where its key is
given), asks for the rest on a terminal, tries each value with one request that only reads, and writes the file. Nothing is
written for a target that looks like production. No secret is ever shown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gate import env_file
from gate.exit_codes import ExitCode
from gate.interview import Interview
from gate.onboarding import Onboarding, Outcome
from gate.places import DEFAULT_ENV_FILE
from gate.registered import registered_system
from gate.settings import ConfigurationError
from spec import DEFAULT, SpecError, load

DESCRIPTION = (
    "Writes the env file of a deployment: takes the settings that are there, asks for the rest on a terminal, and tries each "
    "with one request that only reads. Nothing is written for a target that looks like production."
)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m gate.setup", description=DESCRIPTION)
    parser.add_argument("--env-file", type=Path, default=Path(DEFAULT_ENV_FILE), metavar="PATH", help="the file to write")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="an env file to take values from")
    parser.add_argument(
        "--yes", action="store_true", help="add to an existing file without asking; lines that setup does not know are kept"
    )
    parser.add_argument("--spec", type=Path, default=DEFAULT, metavar="PATH", help="another system's specification file")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, try and write; returns the exit code."""
    options = parse(arguments)
    interview = Interview(sys.stdin.isatty() and sys.stdout.isatty())
    try:
        spec = load(options.spec)
        work = Onboarding(spec, options.spec, registered_system(), interview)
        work.read(options.env_file, options.source)
        outcome = work.run()
        _require_consent(options, interview)
        _write(work, options.env_file)
    except (ConfigurationError, SpecError, OSError) as error:
        print(f"setup: {interview.mask(str(error))}", file=sys.stderr)
        return ExitCode.USAGE
    except (KeyboardInterrupt, EOFError):
        print("\nsetup: interrupted; nothing was written", file=sys.stderr)
        return ExitCode.INTERRUPTED
    return _conclude(work, outcome)


def _require_consent(options: argparse.Namespace, interview: Interview) -> None:
    """Raises ConfigurationError unless an existing file may be written over."""
    if options.yes or not options.env_file.exists():
        return
    if not interview.is_possible:
        raise ConfigurationError(f"{options.env_file} exists: --yes adds to it, and keeps its other lines; nothing was written")
    if not interview.confirm(f"{options.env_file} exists. Add to it, and keep its other lines?"):
        raise ConfigurationError(f"{options.env_file} exists; nothing was written")


def _write(work: Onboarding, path: Path) -> None:
    """Write the files of the services that have their own, and then the one that names them."""
    values = dict(work.to_write)
    for setting, own in work.own_environments.items():
        file = path.with_name(f"{path.name}.{work.service_of(setting)}")
        env_file.write(file, own)
        values[setting] = str(file.resolve())
        print(f"{file}: {len(own)} variables, mode 600")
    changed = env_file.write(path, values)
    print(f"{path}: {len(values)} variables, mode 600" + ("" if changed else ", unchanged"))


def _conclude(work: Onboarding, outcome: Outcome) -> int:
    for line in work.switched_off():
        print(line)
    for line in outcome.problems:
        print(f"to mend before a run: {line}")
    return ExitCode.FAIL if outcome.problems else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
