"""`python -m load`: one load run against the twin or a deployment, with a verdict, a page and a line of history.

`make load PROFILE=nightly DURATION=120 WORKERS=2 BASELINE=last` is the usual way to call it.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gate.exit_codes import ExitCode
from gate.failures import Blocked, Failure, NotConfigured
from gate.places import DEFAULT_ENV_FILE, OUT
from gate.session import Session
from gate.settings import ConfigurationError
from gate.target import Choice
from load import finish, stress, worker_load
from load.comparable import comparable_runs
from load.plan import LoadPlan
from load.policy import upload_policy
from load.processes import run_locust
from load.record import HISTORY, LoadRecord, baseline
from load.target import on_target, release_under_test
from spec import DEFAULT, NotSpecified, SpecError, load

OWN_SEARCHES = {stress.NAME: stress.search, "worker": worker_load.climb}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m load", description=__doc__)
    parser.add_argument("--profile", default="smoke", metavar="NAME", help="a profile of the specification, stress or worker")
    parser.add_argument("--duration", type=float, metavar="SECONDS", help="stretch the profile to this length")
    parser.add_argument("--rate", type=float, default=1.0, metavar="FACTOR", help="multiply its rates")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="generator processes on this machine")
    parser.add_argument("--remote-workers", type=int, default=0, metavar="N", help="wait for generators of other machines")
    parser.add_argument("--baseline", default="", metavar="last|FILE|RELEASE", help="compare with stored runs")
    parser.add_argument("--target", choices=("twin", "live"), help="default: live if a live setting is present")
    parser.add_argument("--env-file", type=Path, metavar="PATH", help=f"settings of the target (default {DEFAULT_ENV_FILE})")
    parser.add_argument("--fault", action="append", default=[], metavar="ID", help="break the twin (repeatable)")
    parser.add_argument("--speedup", type=float, help="divide the twin's waits (default 60)")
    parser.add_argument("--history", type=Path, default=HISTORY, metavar="PATH", help=f"stored runs (default {HISTORY.name})")
    parser.add_argument("--out", type=Path, default=OUT / "load", metavar="PATH", help="folder of the page")
    parser.add_argument("--spec", type=Path, default=DEFAULT, metavar="PATH", help="another specification file")
    return parser


class LoadCommand:
    """One call of the command."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.mask: Callable[[str], str] = str
        # Divides the waits of every twin of this command.
        self.twin_arguments = ("--speedup", str(options.speedup)) if options.speedup else ()

    def run(self) -> int:
        """Make the run; returns the exit code."""
        options, spec = self.options, load(self.options.spec)
        plan = None
        if options.profile not in OWN_SEARCHES:
            plan = LoadPlan.of(spec, options.profile, options.duration, options.rate)
        if min(options.workers, options.remote_workers) < 0 or options.workers + options.remote_workers < 1:
            raise ConfigurationError("--workers: at least 1, unless --remote-workers are waited for")
        choice = Choice(
            options.target,
            options.env_file,
            spec_file=options.spec,
            faults=tuple(options.fault),
            twin_arguments=self.twin_arguments,
        )
        with on_target(choice) as session:
            self.mask = session.masking.mask
            # A baseline that is not there is said now and not after the run.
            old = self._baseline(session) if options.baseline and plan is not None else []
            session.prerequisites.require("api")
            if plan is None:
                return OWN_SEARCHES[options.profile](session, options.out)
            return self._planned(session, plan, old)

    def _baseline(self, session: Session) -> list[LoadRecord]:
        profile, name = session.spec.load.regression.profile, session.settings.text("HARNESS_TARGET_NAME")
        return baseline(self.options.baseline, profile, name, release_under_test(session), self.options.history)

    def _planned(self, session: Session, plan: LoadPlan, old: list[LoadRecord]) -> int:
        options, rule = self.options, session.spec.load.regression
        if plan.name == rule.profile:
            first, *repeats = self._comparable(session, old)
            return finish.conclude(session, first, options.baseline, repeats, options.out, options.history)
        upload_policy(session)
        record = run_locust(session, plan, options.workers, options.remote_workers)
        repeats = []
        if (options.baseline or plan.name in rule.profiles) and not record.aborted:
            print(f"now {rule.repeats} runs of profile {rule.profile}, to be compared with another release's", flush=True)
            repeats = self._comparable(session, old)
        return finish.conclude(session, record, options.baseline, repeats, options.out, options.history)

    def _comparable(self, session: Session, old: list[LoadRecord]) -> list[LoadRecord]:
        return finish.runs_to_compare(session, lambda: comparable_runs(session, self.twin_arguments), old, self.options.history)


def main(arguments: list[str] | None = None) -> int:
    """Run the load; returns the exit code."""
    options = _parser().parse_args(arguments)
    # CI cancels a job with SIGTERM; what was created must be removed then as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = LoadCommand(options)
    try:
        return command.run()
    except (ConfigurationError, SpecError, NotSpecified) as error:
        print(command.mask(f"load: {error}"), file=sys.stderr)
        return ExitCode.USAGE
    except (Blocked, Failure, NotConfigured) as error:
        print(command.mask(f"load: {error}"), file=sys.stderr)
        return ExitCode.BLOCKED
    except (KeyboardInterrupt, subprocess.SubprocessError) as error:
        print(f"load: ended early ({type(error).__name__}); what was created is removed", file=sys.stderr)
        return ExitCode.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
