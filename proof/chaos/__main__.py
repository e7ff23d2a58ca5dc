"""Chaos: many users upload and ask while parts are killed, slowed and cut at random; afterwards all must be as it should be.

`python -m proof.chaos --seed 1` tells the story of a seed (reports/out/chaos/story.json), carries it out on a twin of its own,
and writes what happened beside it (events.json). The same seed and options give the same story. Exit code 1 when a document
was lost or done twice, something is orphaned or lies with another user, an answer was not honest, or normal use came late.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from fixtures.drills.control import Control, ControlError
from gate.exit_codes import ExitCode
from gate.failures import Blocked, Failure, NotConfigured
from gate.history import folder_of
from gate.places import OUT
from gate.settings import ConfigurationError
from gate.target import Choice
from load.target import on_target
from proof.chaos.page import PAGE, put_section
from proof.chaos.run import ChaosRun
from proof.chaos.story import Options, Story, tell
from proof.chaos.summary import WIDTH, describe, finding, lines, write, write_story
from spec import DEFAULT, NotSpecified, SpecError, Specification, load

NOT_BEGUN = (ConfigurationError, SpecError, NotSpecified, NotConfigured, ControlError, Blocked)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m proof.chaos", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="the story (default 1)")
    parser.add_argument("--documents", type=int, metavar="N", help="documents that are uploaded")
    parser.add_argument("--minutes", type=float, metavar="M", help="how long parts are disturbed")
    parser.add_argument("--users", type=int, metavar="N", help="users who upload them")
    parser.add_argument("--fault", action="append", default=[], metavar="ID", help="break the twin beforehand (repeatable)")
    parser.add_argument("--story", action="store_true", help="only tell the story")
    parser.add_argument("--page", action="store_true", help=f"write the figures into {PAGE.name}")
    parser.add_argument("--out", type=Path, default=OUT / "chaos", metavar="PATH", help="folder of the results")
    return parser.parse_args(arguments)


def story_of(spec: Specification, options: argparse.Namespace) -> Story:
    """The story that the command line asks for; raises ConfigurationError where users would be over their limits."""
    asked = Options.of(spec.chaos, options.documents, options.minutes, options.users)
    each = -(-asked.documents // asked.users)
    if each > (most := spec.limits.max_uploads_per_day_per_user):
        raise ConfigurationError(f"--users {asked.users}: each would send {each} documents, and {most} a day are allowed")
    return tell(spec.chaos, asked, options.seed)


def carry_out(story: Story, spec: Specification, options: argparse.Namespace) -> ExitCode:
    """Carry a story out on a twin of its own, and say what came of it."""
    arguments = ("--drills", "--speedup", f"{spec.chaos.twin_speedup:g}")
    choice = Choice("twin", faults=tuple(options.fault), twin_arguments=arguments)
    with on_target(choice) as session, Control.of(session) as control:
        outcome = ChaosRun(session, control, story, folder_of(OUT)).run()
        write(options.out, outcome, session.masking.mask)
        shown = list(lines(outcome, spec.pipeline, spec.health.required_status))
        found = [session.masking.mask(finding(failure)) for failure in outcome.failures]
    verdict = f"FAIL, {len(found)} findings" if found else "PASS"
    for label, text in (*shown, *(("finding", text) for text in found), ("verdict", verdict)):
        print(f"{label:{WIDTH}}{text}", flush=True)
    if options.page:
        put_section(story, command_of(options), shown, verdict)
    return ExitCode.FAIL if found else ExitCode.PASS


def command_of(options: argparse.Namespace) -> str:
    """The call that repeats a run."""
    given = [f"--seed {options.seed}"]
    given += [f"--{name} {value:g}" for name in ("documents", "minutes", "users") if (value := getattr(options, name))]
    return " ".join(["python -m proof.chaos", *given, *(f"--fault {id}" for id in options.fault)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = parse(arguments)
    try:
        spec = load(DEFAULT)
        story = story_of(spec, options)
        write_story(options.out, story)
        print(f"{'chaos':{WIDTH}}{describe(story)}", flush=True)
        return ExitCode.PASS if options.story else carry_out(story, spec, options)
    except KeyboardInterrupt:
        print("chaos: interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except NOT_BEGUN as error:
        print(f"chaos: {error}", file=sys.stderr)
        return ExitCode.USAGE
    except Failure as error:
        print(f"chaos: {finding(error)}", file=sys.stderr)
        return ExitCode.FAIL


if __name__ == "__main__":
    # Also where it was started in the background, or a job of CI is cancelled.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
