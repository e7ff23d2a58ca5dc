"""3.3 Internal Service Dependencies: OpenAI fails."""

import pytest

from fixtures.drills.engine import Drills
from gate.selection import each, promised
from spec.drill_entries import drills_of
from spec.model import Drill

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("3.3"),
    pytest.mark.component("openai"),
    pytest.mark.needs("api", "database", "users", "upload"),
    promised("drills", "chat", "pipeline"),
]


@each("drill", drills_of("openai"))
@pytest.mark.about("recovery.missed", "drill {drill}")
def test_promises_hold_while_openai_fails(drills: Drills, drill: Drill) -> None:
    """§3 Internal Service Dependencies: while OpenAI fails, answers are honest, jobs wait, and its circuit opens."""
    drills.require(drill)
