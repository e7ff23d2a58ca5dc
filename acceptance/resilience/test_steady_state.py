"""3.3 Internal Service Dependencies: the steady state, by which drills and rollbacks are judged, is there to begin with."""

from typing import cast

import pytest

from fixtures.drills.invariants import Judged
from fixtures.drills.observation import Observation
from gate.failures import Blocked
from gate.selection import each, promised
from spec import Specification
from spec.drill_entries import invariants, steady_parts
from spec.model import Invariant, PartName

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("3.3"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "users"),
    promised("steady_state", "pipeline"),
]


@each("part", steady_parts)
@pytest.mark.about("promise.broken", "promise steady state of {part}")
def test_the_part_is_normal(observation: Observation, spec: Specification, part: str) -> None:
    """§3 Internal Service Dependencies: health, sign-in, upload, job, retrieval and chat work before anything is disturbed."""
    seen = observation[cast("PartName", part)]
    observation.require([seen.name])
    if not seen.is_ok:
        prerequisite = "worker" if seen.name in ("retrieval", "chat") else "upload"
        raise Blocked(prerequisite, f"whether {spec.steady_state.parts[seen.name].title}: {seen.reason}")


@each("invariant", invariants)
@pytest.mark.component("worker")
@pytest.mark.about("steady.lost", "promise {invariant}")
def test_the_invariant_holds(stored: Judged, invariant: Invariant) -> None:
    """contract Worker: nothing is lost, done twice, orphaned, or of one user with another."""
    stored.require_only(invariant.name)
