"""The dependency graph of a system: which parts a part does not work without, and where a cause lies."""

from __future__ import annotations

from functools import cache

from reports.model import Finding
from spec import Specification

# Parts that are not in the way of a request: what is wrong there takes effect in the services that it names.
ABOUT_SERVICES = frozenset({"configuration", "build", "render"})


class Graph:
    """Parts and what they need (`harness.parts` of the specification)."""

    def __init__(self, spec: Specification) -> None:
        self._parts = spec.harness.parts
        self._services = list(spec.services)
        self.needed = cache(self._needed)

    def _needed(self, part: str) -> frozenset[str]:
        """A part and all parts that it does not work without."""
        found: set[str] = set()
        waiting = [part]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self._parts[name].needs if name in self._parts else []
        return frozenset(found)

    def causes(self, finding: Finding) -> frozenset[str]:
        """The parts in which a finding has its effect: its own, and the services that its subjects name."""
        named = {word for fact in finding.facts for word in fact.subject.split() if word in self._services}
        if finding.component in ABOUT_SERVICES:
            return frozenset(named or self._services)
        return frozenset({finding.component, *named})
