"""Work beside the checks, and what a system gives back to the engine: what was swept, whether a release is live."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from gate.exit_codes import ExitCode


@dataclass
class Swept:
    """What a clean-up removed and could not remove, and what is there now, by table and bucket."""

    removed: Counter[str] = field(default_factory=Counter)
    left: list[str] = field(default_factory=list)
    after: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        text = ", ".join(f"{number} {name}" for name, number in self.removed.items() if number) or "nothing"
        return f"{text} removed" + (f"; left behind: {'; '.join(self.left)}" if self.left else "")


@dataclass(frozen=True)
class ReleaseSeen:
    """The end of a wait for a release: whether it is live, after how many seconds, and one line about it."""

    exit_code: ExitCode
    seconds: float
    message: str


class Background(Protocol):
    """Work of a run that goes on beside its checks."""

    def start(self) -> None:
        """Begin; returns at once."""

    def finish(self, at_once: bool) -> None:
        """Wait for it, or end it `at_once`; nothing is created any more when this returns."""
