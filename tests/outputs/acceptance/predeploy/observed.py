"""Checks whose exchanges an observer sees in whichever process they run, and the observers' own, which are judged last."""

import pytest

from gate.observers import Exchanged
from gate.observers.check import require_kept
from gate.session import Session

pytestmark = [pytest.mark.predeploy, pytest.mark.checklist("8.1.2"), pytest.mark.component("api")]


@pytest.mark.observes("words")
@pytest.mark.about("promise.broken", "promise kept")
def test_a_promise_of_all_exchanges_is_kept(session: Session) -> None:
    """§1 Environment: no exchange holds the word that it must not hold."""
    require_kept(session, "words")


@pytest.mark.observes("blind")
@pytest.mark.about("promise.broken", "promise blind")
def test_what_nothing_has_shown(session: Session) -> None:
    """§1 Environment: an observer that judges nothing."""
    require_kept(session, "blind")


@pytest.mark.parametrize("kind", ["plain_a", "wrong_a", "plain_b", "plain_c", "wrong_b", "plain_d"])
def test_asks(session: Session, kind: str) -> None:
    """§1 Environment: exchanges something that nobody looks at."""
    body = b"a wrong word" if kind.startswith("wrong") else b"a word"
    session.observers.see(Exchanged("http", "api", f"endpoint GET /asked/{kind}", "GET", body=body, status=200))
