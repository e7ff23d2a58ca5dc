"""3.3 Internal Service Dependencies: Anthropic as the fallback route."""

import pytest

from fixtures.drills.engine import Drills
from gate.selection import each, promised
from spec.drill_entries import drills_of
from spec.model import Drill

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("3.3"),
    pytest.mark.component("anthropic"),
    pytest.mark.needs("api", "database", "users", "upload"),
    promised("drills", "chat", "pipeline"),
]


@each("drill", drills_of("fallback"))
@pytest.mark.about("recovery.missed", "drill {drill}")
def test_the_router_takes_the_promised_route(drills: Drills, drill: Drill) -> None:
    """§3 Internal Service Dependencies: the service router answers over Anthropic while OpenAI's completions fail."""
    drills.require(drill)
