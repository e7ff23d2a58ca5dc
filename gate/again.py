"""Checks that failed are run again at the end, where that is safe: what fails each time is steady, the rest comes and goes.

A failure stays a failure either way. One check stands for all that saw the same thing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator

import pytest

from gate.checks import named
from gate.failures import Blocked, Failure
from gate.internals import pytest_
from gate.plugin import session_of
from gate.selection import is_check, waits
from gate.session import Session
from gate.shared import SharedFolder

FOLDER = "again"
RUNS = 2
# Suites whose checks are not repeated.
NEVER = ("performance", "contract", "resilience")


class Again:
    """The checks of this process that failed, one for each thing that was seen."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._failed: dict[tuple[str, str], pytest.Item] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Remember a check that failed."""
        report = yield
        error = call.excinfo.value if call.excinfo else None
        if (
            call.when == "call"
            and report.outcome == "failed"
            and isinstance(error, Failure)
            and self._is_safe(item, call.duration)
        ):
            self._failed.setdefault(named(error, item), item)
        return report

    def _is_safe(self, item: pytest.Item, seconds: float) -> bool:
        """A check that neither measures, disturbs nor waits, for a document or longer than the time that all of them have."""
        if seconds > self._session.spec.safety.again_seconds:
            return False
        if not is_check(item) or any(item.get_closest_marker(name) for name in NEVER):
            return False
        return not waits(item, self._session.system.waited_for)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """After the last check: run the failed ones again, within the time that the specification gives."""
        result = yield
        deadline = time.monotonic() + self._session.spec.safety.again_seconds
        for item in self._failed.values():
            if time.monotonic() > deadline or self._session.prerequisites.target_is_unavailable():
                break
            self._run(item, deadline)
        return result

    def _run(self, item: pytest.Item, deadline: float) -> None:
        failed, runs = 1, 1
        while runs <= RUNS and time.monotonic() < deadline:
            try:
                pytest_.run_once(item)
            except Failure:
                failed += 1
            except (Blocked, pytest.skip.Exception, pytest.fail.Exception, Exception):
                # Neither held nor failed in the way that it did: this says nothing, and must not end the run.
                return
            runs += 1
        if runs > 1:
            note = json.dumps({"check": item.nodeid, "failed": failed, "runs": runs})
            self._session.shared.append(f"{FOLDER}.jsonl", note)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Watch the checks of this process."""
    gate = session_of(session.config)
    if gate is not None and gate.spec.safety.again_seconds:
        session.config.pluginmanager.register(Again(gate), "gate-again")


def read(shared: SharedFolder) -> dict[str, str]:
    """How often each check failed that was run again, by its node id: "3 of 3"."""
    lines = (shared.read(f"{FOLDER}.jsonl") or "").splitlines()
    found = [json.loads(line) for line in lines]
    return {entry["check"]: f"{entry['failed']} of {entry['runs']}" for entry in found}
