"""6.3 Data Security, and every other promise that holds for all exchanges: judged last, over all processes of the run."""

import pytest

from gate.observers.check import require_kept
from gate.selection import each
from gate.session import Session
from spec import observer_entries
from spec.model import ObserverRule

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.observes,
    pytest.mark.checklist("6.3"),
    pytest.mark.component("api"),
]


@pytest.mark.about("promise.broken", "promise {observer}")
@each("observer", observer_entries.observers)
def test_nothing_slips_past(session: Session, observer: ObserverRule) -> None:
    """§6 Data Security: every exchange of the run keeps what this observer holds it to."""
    require_kept(session, observer.name)
