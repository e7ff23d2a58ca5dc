"""Named changes of a healthy twin: faults break it, variants turn it into another correct system."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

PlanT = TypeVar("PlanT")
ChangeT = TypeVar("ChangeT", bound="Change[Any]")
ID = re.compile(r"[A-Z]{1,2}\d{2,3}")
MODE = re.compile(r"(F(0[1-9]|[12]\d|3[0-6])|-)(\|(F(0[1-9]|[12]\d|3[0-6])|-))*")
SUITES = frozenset({"predeploy", "postdeploy", "performance", "resilience", "contract", "maintenance"})


class UsageError(ValueError):
    """The command line names something that does not exist; the message states what is accepted."""


class UnknownId(UsageError):
    """No fault or variant has this id."""


class CatalogueError(RuntimeError):
    """A fault or variant is malformed; the message names it."""


@dataclass(frozen=True)
class Change(Generic[PlanT]):
    """A change with an id; `apply` changes the plan of a healthy twin."""

    id: str
    title: str
    apply: Callable[[PlanT], None]

    def problem(self) -> str | None:
        """The reason why it is malformed, or None."""
        if not ID.fullmatch(self.id):
            return "its id is not one or two capital letters and two or three digits"
        return None if self.title.strip() else "its title is empty"

    def __str__(self) -> str:
        return f"{self.id}  {self.title}"


@dataclass(frozen=True)
class Variant(Change[PlanT]):
    """A different system that is also correct."""


@dataclass(frozen=True)
class Fault(Change[PlanT]):
    """A broken system: `title` is the failure mode, `component` is at fault, `suites` are expected to turn red.

    A slash in `component` separates names that are equally correct: a suite may observe the fault in either part. `mode` is the
    failure mode that the defect truly is, `-` where it is none; a bar separates modes that are equally right. `subject` names
    the broken thing as the on-call engineer must read it: the subject or the title of the top finding matches one of its
    patterns (`fnmatch`, separated by `|`). `log` is such a pattern of the line of a service's log that tells the cause, in all
    suites but those in which the service has no occasion to log it (`silent`).
    """

    component: str
    suites: tuple[str, ...]
    mode: str = field(kw_only=True)
    subject: str = field(kw_only=True)
    log: str = field(default="", kw_only=True)
    silent: tuple[str, ...] = field(default=(), kw_only=True)

    def problem(self) -> str | None:
        """The reason why it is malformed, or None."""
        if not MODE.fullmatch(self.mode):
            return f"a fault without a failure mode (F01 to F36, or - for none); found {self.mode!r}"
        if not all(name.strip(" *?") for name in self.subject.split("|")):
            return f"expected patterns that name what is broken; found {self.subject!r}"
        if not all(re.fullmatch(r"[a-z]+", name) for name in self.component.split("/")):
            return f"expected a component; found {self.component!r}"
        if not self.suites or not set(self.suites) <= SUITES:
            return f"expected suites of {', '.join(sorted(SUITES))}; found {', '.join(self.suites) or 'none'}"
        if self.silent and (not self.log or not set(self.silent) < set(self.suites)):
            return f"expected suites among its own in which nothing is logged; found {', '.join(self.silent)}"
        return super().problem()

    def __str__(self) -> str:
        return f"{self.id}  {self.component:<12} {','.join(self.suites):<28} {self.title}"

    def as_data(self) -> dict[str, object]:
        """For machines."""
        names = ("id", "component", "suites", "title", "mode", "subject")
        log = {suite: self.log for suite in self.suites if self.log and suite not in self.silent}
        return {name: getattr(self, name) for name in names} | {"log": log}


def mode_of(id: str, mode: str | None) -> str:
    """The failure mode of a fault: its id where that names one and no other is given."""
    return mode if mode is not None else id if id.startswith("F") else ""


def register(registry: dict[str, ChangeT], change: ChangeT) -> None:
    """Add a change; raises CatalogueError when it is malformed or its id is taken."""
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
    """One change of the plan that applies all of them in order.

    What the plan has in `own_changes` for an id takes the place of that item's own `apply`.
    """
    chosen = tuple(changes)

    def change(plan: PlanT) -> None:
        for item in chosen:
            # A change before this one may have put another release in place, and so its own changes.
            own: Mapping[str, Callable[[PlanT], None]] = getattr(plan, "own_changes", {})
            own.get(item.id, item.apply)(plan)

    return change
