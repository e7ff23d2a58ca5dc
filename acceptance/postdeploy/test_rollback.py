"""8.2.1 Run health checks on all services: whether the target is between two releases (§7 Rollback Procedures)."""

import pytest

from fixtures.rollback.unfinished import require_finished
from gate.selection import promised
from gate.session import Session

# It needs nothing of the target: a service that does not respond may be half rolled back.
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.1"),
    pytest.mark.component("configuration"),
    promised("rollback"),
]


@pytest.mark.about("rollback.unfinished")
def test_no_rollback_is_half_done(session: Session) -> None:
    """§7 Rollback Procedures: a rollback that was begun is finished; between two releases nothing holds."""
    require_finished(session)
