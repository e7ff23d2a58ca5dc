"""3.3 Internal Service Dependencies: the database is restarted, failed over, out of connections, slow, read-only."""

import pytest

from fixtures.drills.engine import Drills
from gate.selection import each, promised
from spec.drill_entries import drills_of
from spec.model import Drill

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("3.3"),
    pytest.mark.component("database"),
    pytest.mark.needs("api", "database", "users", "upload"),
    promised("drills", "chat", "pipeline"),
]


@each("drill", drills_of("database"))
@pytest.mark.about("recovery.missed", "drill {drill}")
def test_promises_hold_while_the_database_fails(drills: Drills, drill: Drill) -> None:
    """§3 Database Dependencies: the services outlive their database's troubles, and reconnect by themselves."""
    drills.require(drill)
