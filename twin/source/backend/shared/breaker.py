"""Circuit breakers: a service that keeps failing is left alone for a while, then tried with a single call."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

log = logging.getLogger("backend.circuits")
FAILURES_TO_OPEN = 5
OPEN_SECONDS = 30.0


class State(StrEnum):
    """What a circuit does with calls: lets them through, refuses them, or lets one through as a trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Circuit:
    """The circuit of one kind of call.

    It opens after some failures in a row and refuses calls for `open_seconds`. Then it is half open: one call is let through,
    whose success closes it and whose failure opens it again.
    """

    def __init__(
        self,
        name: str,
        failures_to_open: int = FAILURES_TO_OPEN,
        open_seconds: float = OPEN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.failures = 0
        self._failures_to_open = failures_to_open
        self._open_seconds = open_seconds
        self._clock = clock
        self._opened: float | None = None
        self._opened_at: datetime | None = None
        self._is_on_trial = False

    @property
    def state(self) -> State:
        """The state that a call would meet now."""
        if self._opened is None:
            return State.CLOSED
        return State.HALF_OPEN if self.seconds_left <= 0 else State.OPEN

    @property
    def seconds_left(self) -> float:
        """Until a trial is possible; 0 when the circuit is not open."""
        return 0.0 if self._opened is None else max(0.0, self._opened + self._open_seconds - self._clock())

    @property
    def is_available(self) -> bool:
        """Whether a call would be let through."""
        return self.state is State.CLOSED or (self.state is State.HALF_OPEN and not self._is_on_trial)

    def admit(self) -> bool:
        """Whether this call may be made; whoever is admitted reports `succeeded`, `failed` or `abandoned`."""
        if not self.is_available:
            return False
        self._is_on_trial = self.state is State.HALF_OPEN
        return True

    def succeeded(self) -> None:
        """The service answered: the failures are forgotten, and a trial closes the circuit."""
        if self._opened is not None and not self._is_on_trial:
            # The success of a call that began before the circuit opened says nothing about now.
            return
        if self._opened is not None:
            log.info("circuit %s closed", self.name)
        self.failures, self._opened, self._opened_at, self._is_on_trial = 0, None, None, False

    def failed(self, reason: str) -> None:
        """The service did not answer as it should: counted, and the circuit opens when it was once too often."""
        was_trial, self._is_on_trial = self._is_on_trial, False
        if self._opened is not None and not was_trial:
            return
        self.failures += 1
        if was_trial or self.failures >= self._failures_to_open:
            self._opened = self._clock()
            self._opened_at = self._opened_at or datetime.now(UTC)
            log.warning("circuit %s opened after %d failures: %s", self.name, self.failures, reason)

    def abandoned(self) -> None:
        """The call ended without a verdict, because its caller went away."""
        self._is_on_trial = False

    def as_data(self) -> dict[str, Any]:
        """For the health page."""
        return {
            "state": str(self.state),
            "failures": self.failures,
            "opened_at": self._opened_at.isoformat() if self._opened_at else None,
        }


SEVERITY = (State.CLOSED, State.HALF_OPEN, State.OPEN)


def worst(circuits: list[Circuit]) -> Circuit:
    """The one that is the furthest from closed."""
    return max(circuits, key=lambda circuit: (SEVERITY.index(circuit.state), circuit.failures))
