"""The degradation manager: what the service still offers while services that it relies on are out of order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from backend.shared.breaker import State
from backend.shared.calls import Calls


class Level(StrEnum):
    """How much of a capability is left."""

    FULL = "full"
    FALLBACK = "fallback"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Capability:
    """Something that the service offers: it needs all circuits of `needs`, and one of `either`, preferably the first."""

    needs: Sequence[str] = ()
    either: Sequence[str] = ()


class DegradationManager:
    """Knows which circuits each capability relies on."""

    def __init__(self, calls: Calls, capabilities: Mapping[str, Capability]) -> None:
        self._calls = calls
        self._capabilities = capabilities

    def level(self, name: str) -> Level:
        """What is left of a capability now."""
        capability = self._capabilities[name]
        if not all(self._works(circuit) for circuit in capability.needs):
            return Level.UNAVAILABLE
        works = [self._works(circuit) for circuit in capability.either]
        if not works or works[0]:
            return Level.FULL
        return Level.FALLBACK if any(works) else Level.UNAVAILABLE

    def degraded(self) -> dict[str, str]:
        """The capabilities of which not all is left, each with its level."""
        levels = {name: self.level(name) for name in self._capabilities}
        return {name: str(level) for name, level in levels.items() if level is not Level.FULL}

    def _works(self, circuit: str) -> bool:
        # One that is half open is tried with the next call.
        return self._calls.circuit(circuit).state is not State.OPEN
