"""7.3 Emergency Procedures: the API is killed during an upload, restarted under load."""

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


@each("drill", drills_of("api"))
@pytest.mark.about("recovery.missed", "drill {drill}")
def test_promises_hold_when_the_api_dies(drills: Drills, drill: Drill) -> None:
    """§7 Emergency Procedures (Service Restart): an upload that is cut off can be repeated, and what was finished is there."""
    drills.require(drill)
