"""Command-line options of the gate."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gate.command import QUIET_OPTIONS, are_tests
from gate.internals import pytest_
from gate.nursery import NURSERY
from gate.places import ACCEPTANCE, DEFAULT_ENV_FILE, OUT
from gate.target import Choice
from spec import DEFAULT

READING_SUITE = "predeploy"
DRILLS_SUITE = "resilience"
MOST_PROCESSES = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options; `pytest --help` shows them under their own heading."""
    group = parser.getgroup("release gate")
    group.addoption("--target", choices=("twin", "live"), help="what to judge (default: live if a live setting is present)")
    group.addoption("--env-file", type=Path, metavar="PATH", help=f"settings of the target (default {DEFAULT_ENV_FILE})")
    group.addoption("--worker-env-file", type=Path, metavar="PATH", help="the worker's settings, where they differ")
    group.addoption(
        "--production-env-file", type=Path, metavar="PATH", help="production's settings, to compare staging with; only read"
    )
    # --strict is pytest's own flag; with --target live it also keeps missing configuration from passing.
    group.addoption("--fault", action="append", default=[], metavar="ID", help="break the twin (repeatable)")
    group.addoption(
        "--variant", action="append", default=[], metavar="ID", help="a twin that is different and correct (repeatable)"
    )
    group.addoption("--spec", type=Path, metavar="PATH", help="another system's specification file (default: the Navigator's)")
    group.addoption("--read-only", action="store_true", help="leave out every check that would write to the target")
    group.addoption("--fuzz-writes", action="store_true", help="contract suite: also requests that write, tagged with the run")
    group.addoption("--wait-for-release", metavar="COMMIT|VERSION", help="wait until this release is live, then begin")
    group.addoption("--wait-timeout", type=float, default=900.0, metavar="SECONDS", help="how long to wait (default 900)")
    group.addoption("--baseline", metavar="last|FILE|RELEASE", help="compare response times with an earlier release's")
    group.addoption("--calendar", metavar="NAME", help="the checks of an entry of the calendar, such as daily, over all suites")
    group.addoption("--history", type=Path, metavar="PATH", help="folder that keeps earlier runs (default: beside the results)")
    group.addoption("--commit-range", metavar="A..B", help="which services this release builds anew (maintenance)")
    group.addoption("--shuffle", metavar="SEED", help="run the checks in the random order of this seed")
    group.addoption("--allow-drills", action="store_true", help="resilience suite: also on a live target, as far as it is safe")
    group.addoption("--policy", type=Path, metavar="PATH", help="the policy that decides (default: policy.toml beside --spec)")
    group.addoption(
        "--exit-by", choices=("verdict", "decision"), default="verdict",
        help="exit code of the verdict, or of the decision: promote 0, roll back 1, hold 6",
    )  # fmt: skip
    group.addoption("--act", action="store_true", help="carry the decision out, wait for it, and judge what is live again")
    group.addoption("--out", type=Path, metavar="PATH", default=OUT, help="folder of the results")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: not one process for each core of a large machine. Each has to start, and shares the target's connections."""
    return min(os.cpu_count() or 1, MOST_PROCESSES)


def is_gate(config: pytest.Config) -> bool:
    """False when pytest runs the project's own tests only."""
    return not are_tests(config.args)


def is_quiet(config: pytest.Config) -> bool:
    """Whether nothing is judged, because pytest only lists checks or shows help."""
    return any(getattr(config.option, name, False) for name in QUIET_OPTIONS)


def spec_file(config: pytest.Config) -> Path:
    """The specification that the target is held to."""
    return Path(config.option.spec or DEFAULT)


def only_reads(config: pytest.Config) -> bool:
    """Whether only the suite runs whose checks write nothing."""
    return str(config.option.markexpr).strip() == READING_SUITE


def require_writing(config: pytest.Config) -> None:
    """Raises UsageError where a decision is to be carried out by a run that may write nothing."""
    if config.option.act and config.option.read_only:
        raise pytest.UsageError("--act writes to the platform, and --read-only forbids that: leave one of them out")


def has_drills(config: pytest.Config) -> bool:
    """Whether the suite is asked for by name, or by its folder, whose checks break and mend the twin while it runs."""
    expression = str(config.option.markexpr).strip()
    named = [Path(str(argument).partition("::")[0]).resolve() for argument in config.args]
    is_folder = any(ACCEPTANCE / DRILLS_SUITE in (path, *path.parents) for path in named)
    return is_folder or (DRILLS_SUITE in expression and pytest_.selects(expression, DRILLS_SUITE))


def require_undisturbed(config: pytest.Config) -> None:
    """Raises UsageError where one process would break the twin while another one judges it."""
    is_shared = bool(getattr(config.option, "numprocesses", None)) and not hasattr(config, "workerinput")
    if is_shared and has_drills(config) and str(config.option.markexpr).strip() not in ("", DRILLS_SUITE):
        raise pytest.UsageError(
            f"-n: drills disturb what other suites judge; run -m {DRILLS_SUITE} by itself, or all of them in one process"
        )


def choice(config: pytest.Config) -> Choice:
    """The target that the options choose."""
    options = config.option
    return Choice(
        options.target,
        options.env_file,
        options.worker_env_file,
        options.production_env_file,
        spec_file(config),
        tuple(options.fault),
        tuple(options.variant),
        drills=has_drills(config),
        strict=bool(getattr(options, "strict", False)),
        read_only=options.read_only,
        writes=not only_reads(config),
        commit_range=options.commit_range or "",
        nursery=config.stash.get(NURSERY, None),
    )
