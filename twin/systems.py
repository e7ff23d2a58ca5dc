"""The systems that have a twin, by name: how each one starts, and its faults and variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from twin import catalogue, faults, variants
from twin.changes import Fault, PlanT, Variant
from twin.clinic import changes as clinic
from twin.clinic.supervisor import ClinicTwin
from twin.running import RunningTwin
from twin.supervisor import Twin

DEFAULT = "navigator"


@dataclass(frozen=True)
class System(Generic[PlanT]):
    """`load` registers the changes; `twin` takes the speed-up, a change of the plan, and whether it has drills."""

    load: Callable[[], None]
    faults: Mapping[str, Fault[PlanT]]
    variants: Mapping[str, Variant[PlanT]]
    twin: Callable[[float, Callable[[PlanT], None], bool], RunningTwin]
    has_drills: bool = False


SYSTEMS: dict[str, System[Any]] = {
    DEFAULT: System(catalogue.load, faults.REGISTRY, variants.REGISTRY, Twin, has_drills=True),
    "clinic": System(clinic.load, clinic.FAULTS, clinic.VARIANTS, ClinicTwin),
}
