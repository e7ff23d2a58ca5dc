"""3.3 Internal Service Dependencies: the storage is down, slow, full."""

import pytest

from fixtures.drills.engine import Drills
from gate.selection import each, promised
from spec.drill_entries import drills_of
from spec.model import Drill

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("3.3"),
    pytest.mark.component("storage"),
    pytest.mark.needs("api", "database", "users", "upload"),
    promised("drills", "chat", "pipeline"),
]


@each("drill", drills_of("storage"))
@pytest.mark.about("recovery.missed", "drill {drill}")
def test_promises_hold_while_the_storage_fails(drills: Drills, drill: Drill) -> None:
    """§3 Internal Service Dependencies: while the storage fails, uploads are refused or kept whole, and jobs are postponed."""
    drills.require(drill)
