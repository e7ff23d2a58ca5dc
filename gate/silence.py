"""How long to wait for a part that did not respond before."""

from __future__ import annotations

from collections import Counter

from spec.model import Safety


class Silence:
    """Counts the parts that did not answer in time.

    The verdict is red by then; waiting in full each time would only delay it.
    """

    def __init__(self, rule: Safety) -> None:
        self._rule = rule
        self._silences: Counter[str] = Counter()

    def patience(self, component: str, seconds: float) -> float:
        """How long to wait: `seconds`, or less when the part was silent often enough."""
        if self._silences[component] >= self._rule.patience:
            return min(seconds, self._rule.impatient_seconds)
        return seconds

    def note(self, component: str) -> None:
        """A part did not answer in time."""
        self._silences[component] += 1
