"""The registries of the clinic's faults and variants."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from twin.changes import Fault, Variant, mode_of, register
from twin.clinic.plan import ClinicPlan

MODULES = ("faults.database", "faults.configuration", "faults.api", "faults.network", "variants")
FAULTS: dict[str, Fault[ClinicPlan]] = {}
VARIANTS: dict[str, Variant[ClinicPlan]] = {}
Apply = Callable[[ClinicPlan], None]


def fault(id: str, title: str, component: str, *suites: str, mode: str | None = None, about: str) -> Callable[[Apply], None]:
    """Register the decorated function as a fault; raises CatalogueError when it is malformed.

    `mode` is its failure mode, by default its id; `about` names what is broken (twin.changes.Fault.subject).
    """

    def decorate(apply: Apply) -> None:
        apply.__doc__ = f"{title}."
        register(FAULTS, Fault(id, title, apply, component, suites, mode=mode_of(id, mode), subject=about))

    return decorate


def variant(id: str, title: str) -> Callable[[Apply], None]:
    """Register the decorated function as a variant; raises CatalogueError when it is malformed."""

    def decorate(apply: Apply) -> None:
        apply.__doc__ = f"{title}."
        register(VARIANTS, Variant(id, title, apply))

    return decorate


def load() -> None:
    """Register all of them; raises CatalogueError naming the first one that is malformed."""
    for module in MODULES:
        importlib.import_module(f"twin.clinic.{module}")
