"""Which settings each check takes, found by rehearsal: no target is asked, and nothing is judged.

`required_settings(spec_file)` collects the checks in a process of its own (`pytest --collect-only -p gate.rehearsal`). There
the prerequisites of a check are read, and its fixtures and its body are begun on a session that has dead addresses and no key.
NotConfigured names a setting; it is given a value that leads nowhere, and the check is begun again, until it fails for another
reason: its first request reaches nothing.
"""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch

import pytest

from gate.collection import collected_by
from gate.failures import Blocked, NotConfigured
from gate.internals.pytest_ import arguments_of, fixture_of
from gate.options import spec_file
from gate.prerequisites import OWN
from gate.registered import registered_system
from gate.run import Run, new_run_id
from gate.selection import is_check, marker_value, waits
from gate.session import Session, System
from spec import Specification, load

# A body that has not failed by then waits for something that will not come.
BODY_SECONDS = 10.0
MOST_SETTINGS = 12
# Nothing listens on the port that is set aside for throwing data away.
DEAD = "127.0.0.1:9"
DEAD_VALUES = {
    "web_url": f"http://{DEAD}",
    "database_url": f"postgresql://nobody:nothing@{DEAD}/nowhere",
    "secret": "rehearsal-" + "0" * 40,
    "text": "rehearsal",
    "path": "/nowhere",
    "number": "1",
}


@dataclass(frozen=True)
class Needs:
    """A check with its checklist item and the settings without which it is not judged."""

    check: str
    checklist: str
    settings: tuple[str, ...]


def required_settings(spec: Path) -> list[Needs]:
    """All checks of a specification with the settings that they take; raises ConfigurationError without a collection."""
    found = collected_by("gate.rehearsal", "--rehearsal", spec)
    return [Needs(entry["check"], entry["checklist"], tuple(entry["settings"])) for entry in found]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The file that the result is written to."""
    parser.addoption("--rehearsal", type=Path, metavar="PATH", help="write which settings each check takes")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Rehearse every check that was collected."""
    config = session.config
    rehearsal = Rehearsal(load(spec_file(config)), registered_system(), spec_file(config))
    checks = [item for item in session.items if is_check(item) and isinstance(item, pytest.Function)]
    found = [
        {"check": item.nodeid, "checklist": marker_value(item, "checklist"), "settings": sorted(rehearsal.settings_of(item))}
        for item in checks
    ]
    config.option.rehearsal.write_text(json.dumps(found))


class Rehearsal:
    """Begins checks where nothing can be reached."""

    def __init__(self, spec: Specification, system: System, file: Path) -> None:
        self._spec, self._system, self._file = spec, system, file
        self._secrets = {name for name, rule in spec.harness.settings.items() if rule.kind == "secret"}
        # Settings that a fixture takes, by its name, and a check, by its function.
        self._of: dict[object, frozenset[str]] = {}

    def settings_of(self, item: pytest.Function) -> frozenset[str]:
        """Settings without which a check is not judged, or not applicable."""
        found = {setting for name in _prerequisites(item) for setting in self._spec.harness.prerequisites[name].settings}
        for name in item.fixturenames:
            if name not in self._of:
                self._of[name] = self._asked_for(partial(_Stage.fixture, name=name), item, frozenset())
            found |= self._of[name]
        # Parameters change what is asked, not with which settings.
        if item.function not in self._of:
            waiting = waits(item, self._system.waited_for)
            begun = frozenset() if waiting else self._asked_for(_Stage.check, item, frozenset(found))
            self._of[item.function] = begun
        return frozenset((found | self._of[item.function]) & self._spec.harness.settings.keys())

    def _asked_for(self, begin: Callable[[_Stage], object], item: pytest.Function, known: frozenset[str]) -> frozenset[str]:
        """The settings that something asks for, one after the other."""
        asked: set[str] = set()
        while len(asked) < MOST_SETTINGS:
            ended = self._end_of(begin, item, known | asked)
            if isinstance(ended, NotConfigured) and ended.setting not in known | asked:
                asked.add(ended.setting)
                continue
            if _is_left_out(ended):
                asked |= {name for name in self._secrets - known - asked if not _is_left_out(
                    self._end_of(begin, item, known | asked | {name})
                )}  # fmt: skip
            break
        return frozenset(asked)

    def _end_of(self, begin: Callable[[_Stage], object], item: pytest.Function, given: Set[str]) -> BaseException | None:
        """How something ends that is begun with these settings; None where it succeeds, or does not end by itself."""
        with self._stage(given, item) as stage, _without_waiting(BODY_SECONDS):
            try:
                begin(stage)
            except (Exception, pytest.skip.Exception, pytest.fail.Exception) as error:
                return error
        return None

    @contextmanager
    def _stage(self, given: Set[str], item: pytest.Function) -> Iterator[_Stage]:
        rules = self._spec.harness.settings
        named = given | {name for name, rule in rules.items() if rule.kind == "web_url" and rule.default}
        values = {name: DEAD_VALUES[rules[name].kind if name in rules else "text"] for name in named}
        before = set(threading.enumerate())
        # A thread that outlives its time, too, may write into the folder while it is removed.
        with tempfile.TemporaryDirectory(prefix="rehearsal-", ignore_cleanup_errors=True) as folder:
            run = Run(new_run_id(), "live", Path(folder) / "run", {"API_BASE_URL": DEAD_VALUES["web_url"]} | values)
            session = _Unconnected(run, self._system, self._spec)
            # What does not answer is not asked why.
            session.prerequisites.use({})
            try:
                yield _Stage(session, item)
            finally:
                session.close()
                _wait_for(set(threading.enumerate()) - before)


class _Unconnected(Session):
    """A session that trusts no one: nothing is ever reached, and reading the system's authorities takes time."""

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _is_left_out(ended: BaseException | None) -> bool:
    """Whether something is not applicable here."""
    return isinstance(ended, pytest.skip.Exception) and not isinstance(ended, NotConfigured | Blocked)


class _Stage:
    """A session on which fixtures are built as pytest builds them, each once."""

    def __init__(self, session: Session, item: pytest.Function) -> None:
        self._item = item
        request = SimpleNamespace(getfixturevalue=self._argument)
        self._built: dict[str, Any] = {"session": session, "spec": session.spec, "request": request}

    def fixture(self, name: str) -> Any:
        """A fixture's value; raises what it raises, and LookupError for one that pytest itself provides."""
        if name not in self._built:
            function, names = fixture_of(self._item, name)
            if not function.__module__.startswith(("fixtures.", "acceptance.", "load.")):
                raise LookupError(name)
            self._built[name] = self._value(function, names, {})
        return self._built[name]

    def _argument(self, name: str) -> Any:
        """A fixture's value, or a stand-in where only the target could give one, such as a user; raises NotConfigured."""
        try:
            return self.fixture(name)
        except NotConfigured:
            raise
        except (Exception, pytest.skip.Exception, pytest.fail.Exception) as error:
            if _is_left_out(error):
                raise
            self._built[name] = MagicMock()
            return self._built[name]

    def check(self) -> None:
        """Begin the check; raises what it raises."""
        item = self._item
        params = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        self._value(item.function, arguments_of(item), params)

    def _value(self, function: Callable[..., Any], names: tuple[str, ...], params: Mapping[str, Any]) -> Any:
        made = function(**{name: params[name] if name in params else self._argument(name) for name in names})
        return next(made) if isinstance(made, Iterator) else made


def _prerequisites(item: pytest.Item) -> list[str]:
    return [name for marker in item.iter_markers("needs") for name in marker.args if name not in OWN]


def _wait_for(threads: Set[threading.Thread]) -> None:
    """Threads of a body that was ended end by themselves, as nothing is reached; none is waited for longer than a body."""
    until = time.monotonic() + BODY_SECONDS
    for thread in threads:
        # One that was interrupted while it was being started cannot be waited for.
        with suppress(RuntimeError):
            thread.join(max(0.0, until - time.monotonic()))


class _TookTooLong(BaseException):
    """A check waits for something that will not come."""


@contextmanager
def _without_waiting(seconds: float) -> Iterator[None]:
    """What sleeps has met nothing that answers, and ends there; so does what takes longer."""

    def end(*_: object, **__: object) -> None:
        raise _TookTooLong

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        # Nor are the tools of others started for nothing.
        with patch.object(time, "sleep", end), patch.object(subprocess.Popen, "__init__", end):
            yield
    except _TookTooLong:
        return
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
