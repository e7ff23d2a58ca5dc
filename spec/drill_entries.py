"""Drills that checks are made for, one check each: `@each("drill", drills_of("openai"))`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from spec.model import Drill, Invariant, Specification


def drills_of(family: str) -> Callable[[Specification], Iterator[Drill]]:
    """The drills of one family, in the order of the file."""

    def found(spec: Specification) -> Iterator[Drill]:
        return (drill for drill in spec.drills.drill if drill.family == family)

    return found


def steady_parts(spec: Specification) -> Iterator[str]:
    """The parts of the steady state."""
    return iter(spec.steady_state.parts)


def invariants(spec: Specification) -> Iterator[Invariant]:
    """What holds of stored data whatever happened."""
    return iter(spec.invariants)


def services_with_circuits(spec: Specification) -> Iterator[str]:
    """The services whose circuits the health body shows."""
    return iter(spec.resilience.circuits.services)
