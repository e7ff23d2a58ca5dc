"""Each observer refuses what it must refuse and accepts what it must accept; taking out any of them is noticed."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.observers import OBSERVERS
from fixtures.observers.belongings import FOLDER, Belongings
from gate.failures import Failure
from gate.messages import expected_text, observed_text
from gate.observers import Exchanged, Observer, notes
from gate.session import Session
from tests.modules import files
from tests.observed import CASES
from tests.observed.cases import ALICE, Case, address_of, answered, token_of
from tests.recorded import SPEC, a_session

NAMES = [rule.name for rule in SPEC.observers]
CLASS = re.compile(r'^    name = "(\w+)"$', re.M)
# Calls, of Python and of C, that all observers together may make for one exchange with twenty jobs.
MOST_CALLS = 10_000


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A session whose observers are those of the specification."""
    found = a_session(tmp_path)
    yield found
    found.close()


def noted(session: Session, name: str) -> notes.Noted:
    """What an observer has noted."""
    session.observers.end()
    return notes.read(session.shared, name)


def each_refused() -> list[tuple[str, int]]:
    """Every exchange that is to be refused, by its observer and its number."""
    return [(name, number) for name, case in CASES.items() for number in range(len(case.refused))]


def test_the_list_the_checklist_and_the_cases_name_the_same() -> None:
    written = [
        name for path in files("gate", "fixtures") if "observers" in path.parts for name in CLASS.findall(path.read_text())
    ]
    assert sorted(written) == sorted(OBSERVERS)
    assert sorted(NAMES) == sorted(OBSERVERS)
    assert sorted(CASES) == sorted(OBSERVERS)
    assert all(name == make.name for name, make in OBSERVERS.items() if isinstance(make, type))  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "number"), each_refused())
def test_it_refuses(session: Session, name: str, number: int) -> None:
    case = CASES[name]
    case.plant(session)
    session.observers.see(case.refused[number])
    found = noted(session, name)
    assert len(found.failures) == 1, f"{name} does not see {case.refused[number].body_text[:200]}"
    assert "check.error" not in {code for code, _ in found.failures}
    assert found.seen
    [(failure, _)] = found.worst_first()
    assert expected_text(failure.what, failure.relation, failure.expected)
    assert observed_text(failure.observed)


@pytest.mark.parametrize("name", CASES)
def test_it_accepts(session: Session, name: str) -> None:
    case: Case = CASES[name]
    case.plant(session)
    for exchange in case.accepted:
        session.observers.see(exchange)
    found = noted(session, name)
    assert found.failures == {}
    assert found.seen


def test_a_failure_holds_no_secret(session: Session, tmp_path: Path) -> None:
    for name in ("passwords", "tokens", "signed_links", "keys", "webhook_secrets"):
        CASES[name].plant(session)
        for exchange in CASES[name].refused:
            session.observers.see(exchange)
    session.observers.end()
    text = "".join(path.read_text() for path in (session.shared.path / notes.FOLDER).glob("*.json"))
    assert len(text) > 1000
    for kind in ("password", "token", "link", "webhook_secret"):
        known = Belongings.of(session).of_kind(kind)
        assert known
        assert not list(known.found_in(text))


def test_what_another_process_planted_is_known(session: Session) -> None:
    lines = [["password", "Gate-planted-elsewhere", "x"], ["token", token_of(ALICE), ALICE]]
    (session.shared.below(FOLDER) / "1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    session.observers.see(answered("me", {"detail": "Gate-planted-elsewhere"}, user=ALICE))
    session.observers.see(answered("me", {"detail": token_of(ALICE)}))
    assert len(noted(session, "passwords").failures) == len(noted(session, "tokens").failures) == 1


class Broken(Observer):
    """Fails by its own mistake."""

    name = "broken"

    def see(self, exchange: Exchanged) -> Iterable[Failure]:
        """Raises."""
        raise ValueError("a mistake")


def test_an_observers_own_mistake_ends_no_exchange(session: Session) -> None:
    session.observers.use([Broken()])
    session.observers.see(answered("me", {}))
    [(code, _)] = noted(session, "broken").failures
    assert code == "check.error"


def test_notes_are_bounded(session: Session) -> None:
    for number in range(50):
        exchange = answered("me", {"detail": "SELECT a FROM b WHERE"}, status=404)
        session.observers.see(replace(exchange, subject=f"endpoint GET /{number}"))
        session.observers.see(replace(exchange, subject="endpoint GET /0"))
    found = noted(session, "inside")
    assert len(found.failures) == notes.MOST
    assert found.worst_first()[0][1] == 51


def test_they_cost_little(session: Session) -> None:
    """Counted in calls, which are the same on every machine; what they take in seconds is in the run's own notes."""
    belongings = Belongings.of(session)
    for number in range(120):
        belongings.plant("password", f"Gate-{number:024}", "x")
        belongings.plant("token", token_of(f"user-{number}"), f"user-{number}")
        belongings.plant("address", address_of(f"{number:05}"), "x")
    jobs = [{"job_id": ALICE, "status": "complete", "progress": {"percent": 100}, "last_error": None}] * 20
    exchanges = [answered("jobs", {"jobs": jobs}, user=ALICE) for _ in range(200)]
    calls: Counter[str] = Counter()
    sys.setprofile(lambda _frame, event, _argument: calls.update([event]))
    try:
        for exchange in exchanges:
            session.observers.see(exchange)
    finally:
        sys.setprofile(None)
    assert (calls["call"] + calls["c_call"]) / len(exchanges) < MOST_CALLS
