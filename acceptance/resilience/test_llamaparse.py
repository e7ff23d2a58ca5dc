"""3.3 Internal Service Dependencies: LlamaParse fails."""

import pytest

from fixtures.drills.engine import Drills
from gate.selection import each, promised
from spec.drill_entries import drills_of
from spec.model import Drill

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("3.3"),
    pytest.mark.component("llamaparse"),
    pytest.mark.needs("api", "database", "users", "upload"),
    promised("drills", "chat", "pipeline"),
]


@each("drill", drills_of("llamaparse"))
@pytest.mark.about("recovery.missed", "drill {drill}")
def test_promises_hold_while_llamaparse_fails(drills: Drills, drill: Drill) -> None:
    """§3 Internal Service Dependencies: while LlamaParse fails, documents are accepted, and their jobs wait."""
    drills.require(drill)
