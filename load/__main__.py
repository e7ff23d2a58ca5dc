"""`python -m load`: one load run against the twin or a deployment, with a verdict, a page and a line of history.

`make load PROFILE=nightly DURATION=120 WORKERS=2 BASELINE=last` is the usual way to call it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from gate.failures import Blocked, CheckFailed
from gate.options import DEFAULT_ENV_FILE
from gate.settings import ConfigurationError
from load import finish, stress, worker_load
from load.plan import LoadPlan
from load.record import HISTORY, LoadRecord, baseline
from load.session import Session, comparable_runs
from spec import SpecError, current

OWN_SEARCHES = {"stress": stress.search, "worker": worker_load.climb}
USAGE_ERROR, BLOCKED = 4, 6


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m load", description=__doc__)
    parser.add_argument("--profile", default="smoke", metavar="NAME", help="a profile of the specification, stress or worker")
    parser.add_argument("--duration", type=float, metavar="SECONDS", help="stretch the profile to this length")
    parser.add_argument("--rate", type=float, default=1.0, metavar="FACTOR", help="multiply its rates")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="generator processes on this machine")
    parser.add_argument("--remote-workers", type=int, default=0, metavar="N", help="wait for generators of other machines")
    parser.add_argument("--baseline", default="", metavar="last|FILE|RELEASE", help="compare with stored runs")
    parser.add_argument("--target", choices=("twin", "live"), help="default: live where a live setting is")
    parser.add_argument("--env-file", type=Path, metavar="PATH", help=f"settings of the target (default {DEFAULT_ENV_FILE})")
    parser.add_argument("--fault", action="append", default=[], metavar="ID", help="break the twin (repeatable)")
    parser.add_argument("--speedup", type=float, help="divide the twin's waits (default 60)")
    parser.add_argument("--history", type=Path, default=HISTORY, metavar="PATH", help=f"stored runs (default {HISTORY})")
    parser.add_argument("--out", type=Path, default=Path("reports/out/load"), metavar="PATH", help="folder of the page")
    parser.add_argument("--spec", type=Path, metavar="PATH", help="another specification file")
    return parser


def _run(options: argparse.Namespace) -> int:
    spec = current()
    plan = None if options.profile in OWN_SEARCHES else LoadPlan.of(spec, options.profile, options.duration, options.rate)
    if min(options.workers, options.remote_workers) < 0 or options.workers + options.remote_workers < 1:
        raise ConfigurationError("--workers: at least 1, unless --remote-workers are waited for")
    with Session(options.target, options.env_file, options.fault, options.speedup) as session:
        run = session.run
        rule = spec.load.regression
        old: list[LoadRecord] = []
        if options.baseline and plan is not None:
            # A baseline that is not there is said now and not after the run.
            old = baseline(options.baseline, rule.profile, session.settings.text("HARNESS_TARGET_NAME"), run.release, options.history)
        session.require_answer()

        def more() -> list[LoadRecord]:
            return comparable_runs(session, options.speedup)

        if plan is None:
            return OWN_SEARCHES[options.profile](session, options.out)
        if plan.name == rule.profile:
            first, *repeats = finish.runs_to_compare(session, more, old, options.history)
            return finish.conclude(session, first, options.baseline, repeats, options.out, options.history)
        session.upload_policy()
        record = session.locust(plan, options.workers, options.remote_workers)
        repeats = []
        if (options.baseline or plan.name in rule.profiles) and not record.aborted:
            print(f"now {rule.repeats} runs of profile {rule.profile}, to be compared with another release's", flush=True)
            repeats = finish.runs_to_compare(session, more, old, options.history)
        return finish.conclude(session, record, options.baseline, repeats, options.out, options.history)


def main() -> int:
    """Run the load; returns the exit code."""
    options = _parser().parse_args()
    if options.spec is not None:
        os.environ["HARNESS_SPEC_FILE"] = str(options.spec)
    try:
        return _run(options)
    except (ConfigurationError, SpecError) as error:
        print(f"load: {error}", file=sys.stderr)
        return USAGE_ERROR
    except (Blocked, CheckFailed) as error:
        print(f"load: {error}", file=sys.stderr)
        return BLOCKED
    except (KeyboardInterrupt, subprocess.SubprocessError) as error:
        print(f"load: ended early ({type(error).__name__}); what was created is removed", file=sys.stderr)
        return 2
    finally:
        close_all()


if __name__ == "__main__":
    sys.exit(main())
