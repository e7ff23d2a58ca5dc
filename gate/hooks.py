"""Hooks of the gate's plugin, for whoever brings a system and for whoever writes results."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

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


@pytest.hookspec()
def pytest_gate_concluded(config: pytest.Config, session: Session, pytest_session: pytest.Session) -> None:
    """All checks have ended and everything was cleaned up: write the results and set the exit status."""
