"""Faults that the twin can have: small named objects, each beside the part that it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twin.plan import Plan


@dataclass(frozen=True)
class Fault:
    """One way to be broken. `suites` are those expected to turn red; `component` names the part at fault.

    A slash in `component` separates names that are equally right, since a suite may see the fault from either side.
    """

    id: str
    title: str
    component: str
    suites: tuple[str, ...]
    apply: Callable[[Plan], None]


REGISTRY: dict[str, Fault] = {}


class UnknownFault(ValueError):
    """No fault has this id."""


def fault(id: str, title: str, component: str, *suites: str) -> Callable[[Callable[[Plan], None]], None]:
    """Register the decorated function as a fault."""

    def register(apply: Callable[[Plan], None]) -> None:
        apply.__doc__ = f"{title}."
        REGISTRY[id] = Fault(id, title, component, suites, apply)

    return register


def find(ids: Iterable[str]) -> list[Fault]:
    """The faults of these ids; raises UnknownFault naming the first unknown one."""
    found = []
    for given in ids:
        if given.upper() not in REGISTRY:
            raise UnknownFault(f"unknown fault {given!r}; `python -m twin faults` lists them")
        found.append(REGISTRY[given.upper()])
    return found


def change_for(faults: Iterable[Fault]) -> Callable[[Plan], None]:
    """One change of the plan that applies all faults in order."""
    chosen = tuple(faults)

    def change(plan: Plan) -> None:
        for item in chosen:
            item.apply(plan)

    return change
