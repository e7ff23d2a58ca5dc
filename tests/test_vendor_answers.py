"""What vendors say beside their answers: room below limits, what was used, and vulnerabilities that are accepted for a time."""

import datetime
from types import SimpleNamespace

import pytest

from fixtures.packages import Pin
from fixtures.vendor_answers import VendorAnswers, note_usage
from fixtures.vulnerabilities import Vulnerabilities, Vulnerability
from gate.failures import NotConfigured
from gate.session import Session
from spec.model import Accepted, Headroom, PackageAudit

REQUESTS = {"requests": Headroom(limit="x-limit", remaining="x-left")}
TODAY = datetime.date(2026, 6, 1)


def test_the_least_room_of_a_limit_is_kept() -> None:
    answers = VendorAnswers()
    for left in ("90", "5", "80"):
        answers.note({"x-limit": "100", "x-left": left}, REQUESTS)
    assert answers.least["requests"].share == 0.05


@pytest.mark.parametrize(
    "headers", [{}, {"x-limit": "100"}, {"x-limit": "none", "x-left": "1"}, {"x-limit": "0", "x-left": "0"}]
)
def test_absent_and_odd_headers_say_nothing(headers: dict[str, str]) -> None:
    answers = VendorAnswers()
    answers.note(headers, REQUESTS)
    assert not answers.least


@pytest.mark.parametrize(
    ("model", "given", "tokens", "cents"),
    [
        ("text-embedding-3-small", {"prompt_tokens": 1_000_000}, 1_000_000, 2),
        ("gpt-4o-mini-2024-07-18", {"prompt_tokens": 100_000, "completion_tokens": 100_000}, 200_000, 7.5),
        ("a-model-without-a-price", {"prompt_tokens": 5}, 5, 0),
        ("gpt-4o", {}, 0, 0),
    ],
)
def test_what_answers_used_is_metered_beside_the_estimate(
    session: Session, model: str, given: dict[str, object], tokens: int, cents: float
) -> None:
    note_usage(session, "openai", model, given)
    used = session.budget.used()
    assert (used.tokens, used.metered_tokens) == (0, tokens)
    assert used.metered_cents == pytest.approx(cents)
    assert ("account for" in used.format_line(session.budget.limits)) is bool(tokens)


@pytest.mark.parametrize(("day", "is_accepted"), [(31, True), (1, False)])
def test_a_vulnerability_is_accepted_until_its_day_under_any_of_its_ids(day: int, is_accepted: bool) -> None:
    until = datetime.date(2026, 12 if is_accepted else 5, day)
    rule = PackageAudit(canary="a==1", accepted=[Accepted(id="PYSEC-1", reason="not reachable", until=until)])
    assert (rule.acceptance(("GHSA-1", "PYSEC-1"), TODAY) is not None) is is_accepted


def test_a_database_that_does_not_respond_is_not_judged(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.vulnerabilities.run", lambda *_, **__: SimpleNamespace(stdout=""))
    with pytest.raises(NotConfigured):
        Vulnerabilities(session).known([Pin("a", "1")])


def test_a_canary_that_is_not_known_is_not_judged(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Vulnerabilities(session)
    monkeypatch.setattr(found, "_ask", lambda _: [])
    with pytest.raises(NotConfigured):
        found.require_sight()
    monkeypatch.setattr(found, "_ask", lambda _: [Vulnerability("a", "1", "GHSA-1")])
    assert found.known([Pin("a", "1")]) == ["a 1 GHSA-1"]
