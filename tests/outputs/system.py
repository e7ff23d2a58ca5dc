"""A system without any target, for runs whose outputs are compared; a plugin of those runs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pytest

from gate.background import Background, ReleaseSeen, Swept
from gate.credentials import Try
from gate.exit_codes import ExitCode
from gate.observers import Observer
from gate.prerequisites import Probe
from gate.session import Session
from tests.outputs.observers import Blind, Words

LEFT = "TEST_LEFT_BEHIND"
BREAKS = "TEST_BREAKS_AT"


class Nothing:
    """Nothing is asked, and nothing is created; what TEST_LEFT_BEHIND names is said to be left."""

    waited_for: frozenset[str] = frozenset({"a_document"})
    host_key = ""

    def probes(self, session: Session) -> Mapping[str, Probe]:
        """None."""
        return {}

    def credentials(self, session: Session) -> Mapping[str, Try]:
        """None."""
        return {}

    def declared(self, session: Session) -> Mapping[str, Mapping[str, str]]:
        """Nothing."""
        return {}

    def verify(self, session: Session, writes: bool) -> None:
        """Everything is right."""

    def require_means(self, session: Session, kind: str) -> None:
        """Everything can be removed."""

    def ahead(self, session: Session, used: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
        """Nothing."""

    def background(self, session: Session) -> Background | None:
        """None."""
        return None

    def progress(self, session: Session) -> tuple[str, float] | None:
        """Nothing is under way."""
        return None

    def observers(self, session: Session) -> Sequence[Observer]:
        """One that refuses a word, and one that judges nothing."""
        return Words(), Blind()

    def longest_wait(self, session: Session) -> float:
        """Nothing is waited for."""
        return 0.0

    def count_tagged(self, session: Session) -> dict[str, int]:
        """One table, with nothing in it."""
        return {"users": 0}

    def clean_up(self, session: Session) -> Swept:
        """Nothing is left, unless the environment says so."""
        left = os.environ.get(LEFT)
        return Swept(Counter(users=1), [left] if left else [], {"users": 1 if left else 0})

    def unfinished(self, session: Session) -> list[str]:
        """Nothing."""
        return []

    def finish_dead_runs(self, session: Session) -> list[str]:
        """One killed run, so that a line is shown."""
        return ["cleaned up  after a run of the test"]

    def wait_for_release(self, session: Session, wanted: str, seconds: float, tell: Callable[[str], None]) -> ReleaseSeen:
        """It is live."""
        return ReleaseSeen(ExitCode.PASS, 0.0, "live")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid: str) -> None:
    """A plugin with a mistake: an INTERNALERROR at the check that TEST_BREAKS_AT names."""
    if nodeid.endswith(os.environ.get(BREAKS) or "-"):
        raise RuntimeError(nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_gate_system() -> Nothing:
    """This system, before any other."""
    return Nothing()
