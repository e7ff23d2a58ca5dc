"""7.3 Emergency Procedures: the worker is killed in every stage, frozen, one of several, poisoned."""

import pytest

from fixtures.drills.engine import Drills
from gate.selection import each, promised
from spec.drill_entries import drills_of
from spec.model import Drill

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("7.3"),
    pytest.mark.component("worker"),
    pytest.mark.needs("api", "database", "users", "upload"),
    promised("drills", "chat", "pipeline"),
]


@each("drill", drills_of("worker"))
@pytest.mark.about("recovery.missed", "drill {drill}")
def test_promises_hold_when_a_worker_dies(drills: Drills, drill: Drill) -> None:
    """§7 Emergency Procedures (Service Restart): when a worker dies, its jobs are complete or given up, once."""
    drills.require(drill)
