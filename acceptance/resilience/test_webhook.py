"""3.3 Internal Service Dependencies: LlamaParse's callback is lost, late, twice, out of order, forged."""

import pytest

from fixtures.drills.engine import Drills
from gate.selection import each, promised
from spec.drill_entries import drills_of
from spec.model import Drill

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("3.3"),
    pytest.mark.component("webhook"),
    pytest.mark.needs("api", "database", "users", "upload"),
    promised("drills", "chat", "pipeline"),
]


@each("drill", drills_of("webhook"))
@pytest.mark.about("recovery.missed", "drill {drill}")
def test_documents_survive_lost_and_late_callbacks(drills: Drills, drill: Drill) -> None:
    """§3 External Service Dependencies: each document is complete, once, with its callback lost, late or repeated."""
    drills.require(drill)
