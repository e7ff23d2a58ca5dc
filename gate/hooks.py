"""Hooks of the gate's plugin, for whoever brings a system and for whoever writes results."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gate.acting import Order, Story
from gate.session import Session, System
from gate.timeline import PlatformSeen, Wanted


@pytest.hookspec(firstresult=True)
def pytest_gate_system() -> System | None:
    """The kind of system that is judged."""


@pytest.hookspec()
def pytest_gate_verified(config: pytest.Config, session: Session) -> None:
    """The target was verified, and no check has begun; called in the process that opened the session."""


@pytest.hookspec(firstresult=True)
def pytest_gate_evidence(session: Session, wanted: Sequence[Wanted], began: float) -> PlatformSeen | None:
    """What the platform knows about each finding of a run, which began then (seconds since 1970)."""


@pytest.hookspec(firstresult=True)
def pytest_gate_act(config: pytest.Config, session: Session, order: Order) -> Story | None:
    """Carry a decision out (--act), wait for it, and have what is live judged again; raises nothing."""


@pytest.hookspec(firstresult=True)
def pytest_gate_unfinished(config: pytest.Config, session: Session) -> Sequence[str] | None:
    """Decisions on this target whose carrying out was begun by an earlier run and never ended; a line for each."""


@pytest.hookspec()
def pytest_gate_concluded(config: pytest.Config, session: Session, pytest_session: pytest.Session) -> None:
    """All checks have ended and everything was cleaned up: write the results and set the exit status."""
