"""The session's life inside pytest: opened before anything is collected, ended when all is written."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Protocol

import pytest

from gate import calendar, hooks
from gate.background import ReleaseSeen
from gate.exit_codes import ExitCode
from gate.interrupts import Interrupts
from gate.options import choice, is_gate, is_quiet, only_reads, require_undisturbed, require_writing, spec_file
from gate.progress import waiting
from gate.selection import parameters_by_fixture, waits
from gate.session import Session, System
from gate.settings import ConfigurationError
from gate.target import open_session
from spec import SpecError, Specification, load
from spec.model.policy import Policy
from spec.policy import load_policy

SESSION = pytest.StashKey[Session]()
SPECIFICATION = pytest.StashKey[Specification]()
RELEASE = pytest.StashKey[ReleaseSeen]()
INTERRUPTS = pytest.StashKey[Interrupts]()
# The policy, and the name of the file that it stands in.
POLICY = pytest.StashKey[tuple[Policy, str]]()
# A run makes many small objects, few of them in circles, and ends soon: looking for circles took a tenth of its time.
COLLECT_AFTER = (50_000, 20, 20)


class WorkerNode(Protocol):
    """A process that xdist starts, as its hook hands it over."""

    config: pytest.Config
    workerinput: dict[str, object]


def session_of(config: pytest.Config) -> Session | None:
    """The gate's session in this process, or None when nothing is judged."""
    return config.stash.get(SESSION, None)


def is_worker(config: pytest.Config) -> bool:
    """True in a process that xdist started."""
    return hasattr(config, "workerinput")


def is_first_process(config: pytest.Config) -> bool:
    """True in the one process of a run that does the work done once for all checks."""
    if is_worker(config):
        return worker_input(config)["workerid"] == "gw0"
    return not getattr(config.option, "numprocesses", None)


def worker_input(config: pytest.Config) -> dict[str, str]:
    """What the process that started this one handed over."""
    found: dict[str, str] = getattr(config, "workerinput", {})
    return found


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make the gate's own hooks known."""
    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Open the session before anything is collected; raises UsageError (exit code 4) in one line."""
    if not is_gate(config):
        return
    gc.set_threshold(*COLLECT_AFTER)
    config.stash[INTERRUPTS] = Interrupts()
    config.stash[INTERRUPTS].remember()
    try:
        config.stash[SPECIFICATION] = load(spec_file(config))
        calendar.require_known(config, config.stash[SPECIFICATION])
        if is_quiet(config):
            return
        require_undisturbed(config)
        require_writing(config)
        config.stash[POLICY] = load_policy(config.option.policy, spec_file(config), config.stash[SPECIFICATION])
        system: System = config.hook.pytest_gate_system()
        if is_worker(config):
            session = Session.attach(Path(worker_input(config)["gate_folder"]), system)
        else:
            session = open_session(choice(config), system)
    except (SpecError, ConfigurationError) as error:
        raise pytest.UsageError(str(error)) from error
    session.at_close(session.masking.mask_logs())
    config.stash[SESSION] = session


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerNode) -> None:
    """xdist: tell a worker which run it belongs to."""
    session = session_of(node.config)
    if session is not None:
        node.workerinput["gate_folder"] = str(session.run.folder)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Print what is judged, and probe which of its parts respond; raises UsageError when it is not staging."""
    config = session.config
    gate = session_of(config)
    if gate is None or is_worker(config):
        return
    out = config.get_terminal_writer()
    for line in (*_first_lines(gate), *gate.system.unfinished(gate)):
        out.line(gate.masking.mask(line))
    config.stash[INTERRUPTS].listen(spread=bool(getattr(config.option, "numprocesses", None)))
    _wait_for_release(config, gate)
    config.stash[INTERRUPTS].end_in(gate.spec.safety.run_seconds)
    try:
        # The pre-deploy checks only read; whether the target is staging is left to them.
        gate.verify(writes=not gate.read_only and not only_reads(config))
    except ConfigurationError as error:
        gate.end()
        raise pytest.UsageError(str(error)) from error
    for line in gate.prepare():
        out.line(gate.masking.mask(line))
    config.hook.pytest_gate_verified(config=config, session=gate)


def _first_lines(gate: Session) -> list[str]:
    run = gate.run
    speedup = gate.speedup
    more = f", waits divided by {speedup:g}" if speedup != 1 else ""
    more += f", faults {', '.join(run.faults)}" if run.faults else ""
    more += f", variants {', '.join(run.variants)}" if run.variants else ""
    manner = (", strict" if run.strict else "") + (", read only" if run.read_only else "")
    return [
        f"target {gate.settings.text('HARNESS_TARGET_NAME')} ({run.kind}{manner}) {gate.api_url}{more}",
        f"run {run.run_id}",
    ]


def _wait_for_release(config: pytest.Config, gate: Session) -> None:
    wanted, seconds = str(config.option.wait_for_release or ""), config.option.wait_timeout
    if not wanted:
        return
    with waiting(f"release {wanted}", seconds, gate.masking.mask) as line:
        seen = gate.system.wait_for_release(gate, wanted, seconds, line.say)
    if seen.exit_code is not ExitCode.PASS:
        gate.end()
        pytest.exit(gate.masking.mask(seen.message), returncode=seen.exit_code)
    config.get_terminal_writer().line(seen.message)
    config.stash[RELEASE] = seen


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin the work that checks wait for, as soon as it is known that one does."""
    gate = session_of(session.config)
    if gate is None or gate.read_only or not is_first_process(session.config):
        return
    # What was loaded until now stays to the end: the collector need not look through it again and again.
    gc.freeze()
    if any(waits(item, gate.system.waited_for) for item in session.items):
        gate.start_background()
    if not is_worker(session.config):
        # Processes of one run share their checks out: none of them knows which will be its own.
        gate.begin_ahead(parameters_by_fixture(_can_be_judged(gate, session.items)))


def _can_be_judged(gate: Session, items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """The checks whose prerequisites are not known to be unavailable."""
    if gate.prerequisites.target_is_unavailable():
        return []
    needed = {item: {name for marker in item.iter_markers("needs") for name in marker.args} for item in items}
    unavailable = {name for name in set().union(*needed.values()) if gate.prerequisites.unavailable(name)}
    return [item for item in items if not needed[item] & unavailable]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Raise a Ctrl-C that came at a bad moment now, between two checks."""
    if INTERRUPTS in item.config.stash:
        item.config.stash[INTERRUPTS].deliver()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
    """Stop, clean up, and write the results; the first Ctrl-C is only acknowledged."""
    config = session.config
    gate = session_of(config)
    if gate is None:
        return (yield)
    interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
    if is_worker(config):
        gate.stop(at_once=interrupted)
        result = yield
        gate.close()
        return result
    if interrupted:
        gate.shared.note_interrupted()
    with config.stash[INTERRUPTS].only_answered():
        gate.stop(at_once=interrupted)
        result = yield
        gate.clean_up()
        config.hook.pytest_gate_concluded(config=config, session=gate, pytest_session=session)
        if config.stash[INTERRUPTS].is_too_late:
            seconds = gate.spec.safety.run_seconds
            config.get_terminal_writer().line(
                f"the run did not end within {seconds:g} s [{gate.spec.safety.section}]; nothing more was asked"
            )
            session.exitstatus = ExitCode.BLOCKED
        gate.end()
    # Nothing of the run is needed any more, and pytest has the collector look through all of it several times.
    gc.freeze()
    return result


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the session where pytest itself ended before its checks could."""
    gate = session_of(config)
    if gate is not None and not is_worker(config):
        config.stash[INTERRUPTS].rest()
        gate.end()


@pytest.fixture(scope="session")
def session(pytestconfig: pytest.Config) -> Session:
    """The gate's session: target, settings, specification and run id."""
    found = session_of(pytestconfig)
    assert found is not None, "no target was resolved"
    return found


@pytest.fixture(scope="session")
def spec(session: Session) -> Specification:
    """The specification as data."""
    return session.spec
