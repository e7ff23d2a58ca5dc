"""3.3 Internal Service Dependencies: the network is cut between two parts."""

import pytest

from fixtures.drills.engine import Drills
from gate.selection import each, promised
from spec.drill_entries import drills_of
from spec.model import Drill

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("3.3"),
    pytest.mark.component("network"),
    pytest.mark.needs("api", "database", "users", "upload"),
    promised("drills", "chat", "pipeline"),
]


@each("drill", drills_of("network"))
@pytest.mark.about("recovery.missed", "drill {drill}")
def test_promises_hold_while_the_network_is_cut(drills: Drills, drill: Drill) -> None:
    """§3 Internal Service Dependencies: a cut between two parts costs what needs both of them, and nothing else."""
    drills.require(drill)
