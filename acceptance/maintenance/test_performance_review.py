"""9.2 Performance Review: nothing has become slower over the stored runs (§9 Regular Maintenance)."""

import pytest

from fixtures.performance_history import PerformanceHistory
from gate.history import root_of
from gate.selection import each, promised
from gate.session import Session

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("9.2"),
    pytest.mark.component("api"),
    promised("history"),
]


@pytest.fixture(scope="module")
def performance_history(session: Session, pytestconfig: pytest.Config) -> PerformanceHistory:
    """Response times of earlier runs on this target."""
    return PerformanceHistory(session, root_of(pytestconfig))


@pytest.mark.about("target.shifted", "target {name}")
@each("name", lambda spec: [name for name, target in spec.targets.items() if target.max_ratio is None])
def test_nothing_has_become_slower(performance_history: PerformanceHistory, name: str) -> None:
    """§9 Performance Review: response times are where they were, also inside their target (F31)."""
    performance_history.require_steady(name)
