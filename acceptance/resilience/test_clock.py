"""7.3 Emergency Procedures: clocks are off."""

import pytest

from fixtures.drills.engine import Drills
from gate.selection import each, promised
from spec.drill_entries import drills_of
from spec.model import Drill

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("7.3"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "database", "users", "upload"),
    promised("drills", "chat", "pipeline"),
]


@each("drill", drills_of("clock"))
@pytest.mark.about("recovery.missed", "drill {drill}")
def test_promises_hold_when_a_clock_is_off(drills: Drills, drill: Drill) -> None:
    """§3 Internal Service Dependencies: a clock that is off costs neither sign-ins nor jobs."""
    drills.require(drill)
