"""Drills that checks are made for, one check each: `@each("drill", drills_of("openai"))`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from spec.model import Drill, Specification


def drills_of(family: str) -> Callable[[Specification], Iterator[Drill]]:
    """The drills of one family, in the order of the file."""

    def found(spec: Specification) -> Iterator[Drill]:
        return (drill for drill in spec.drills.drill if drill.family == family)

    return found
