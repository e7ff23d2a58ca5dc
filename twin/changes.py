"""Named changes of a healthy twin: faults break it, variants make it another system that is right as well."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

PlanT = TypeVar("PlanT")
ChangeT = TypeVar("ChangeT", bound="Change[Any]")
ID = re.compile(r"[A-Z]\d{2,3}")
SUITES = frozenset({"predeploy", "postdeploy", "performance", "resilience", "contract", "maintenance"})


class UsageError(ValueError):
    """The command line asks for something that does not exist; the message says what to write."""


class UnknownId(UsageError):
    """No fault or variant has this id."""


class CatalogueError(RuntimeError):
    """A fault or variant is not well formed; the message names it."""


@dataclass(frozen=True)
class Change(Generic[PlanT]):
    """A change with an id; `apply` changes the plan of a healthy twin."""

    id: str
    title: str
    apply: Callable[[PlanT], None]

    def problem(self) -> str | None:
        """What is wrong with it, or None."""
        if not ID.fullmatch(self.id):
            return "its id is not a capital letter and two or three digits"
        return None if self.title.strip() else "its title is empty"

    def __str__(self) -> str:
        return f"{self.id}  {self.title}"


@dataclass(frozen=True)
class Variant(Change[PlanT]):
    """One way to be different and right."""


@dataclass(frozen=True)
class Fault(Change[PlanT]):
    """One way to be broken: `title` is the failure mode, `component` is at fault, `suites` are expected to turn red.

    A slash in `component` separates names that are equally right, since a suite may see the fault from either side.
    """

    component: str
    suites: tuple[str, ...]

    def problem(self) -> str | None:
        """What is wrong with it, or None."""
        if not self.title.strip():
            return "it has no failure mode"
        if not all(re.fullmatch(r"[a-z]+", name) for name in self.component.split("/")):
            return f"expected a component; found {self.component!r}"
        if not self.suites or not set(self.suites) <= SUITES:
            return f"expected suites of {', '.join(sorted(SUITES))}; found {', '.join(self.suites) or 'none'}"
        return super().problem()

    def __str__(self) -> str:
        return f"{self.id}  {self.component:<12} {','.join(self.suites):<28} {self.title}"


def register(registry: dict[str, ChangeT], change: ChangeT) -> None:
    """Add a change; raises CatalogueError when it is not well formed or its id is taken."""
    problem = "its id is taken" if change.id in registry else change.problem()
    if problem:
        raise CatalogueError(f"{type(change).__name__.lower()} {change.id}: {problem}")
    registry[change.id] = change


def find_in(registry: Mapping[str, ChangeT], ids: Iterable[str], command: str) -> list[ChangeT]:
    """The changes of these ids; raises UnknownId naming the first unknown one and the command that lists them."""
    found = []
    for given in ids:
        if given.upper() not in registry:
            raise UnknownId(f"unknown {command.split()[0].removesuffix('s')} {given!r}; `python -m twin {command}` lists them")
        found.append(registry[given.upper()])
    return found


def in_order(changes: Iterable[Change[PlanT]]) -> Callable[[PlanT], None]:
    """One change of the plan that applies all of them in order."""
    chosen = tuple(changes)

    def change(plan: PlanT) -> None:
        for item in chosen:
            item.apply(plan)

    return change
