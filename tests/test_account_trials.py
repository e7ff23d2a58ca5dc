"""What tells two refusals apart, by what is seen of them and by their times; and what is kept of every piece of work."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from fixtures.account_trials import AccountTrials, is_late
from fixtures.alike import differences, features
from fixtures.endurance import Growth
from fixtures.sign_in_times import verdict
from gate.http import Reply
from gate.session import Session
from gate.spread import spread
from spec import load
from spec.model import Growing

KNOWN, UNKNOWN = "known@acceptance.example.com", "other@acceptance.example.com"
RULES = load().accounts
TOLERANCE = 25.0
COUNTER = itertools.count()


def refusal(body: str, email: str, status: int = 401, **headers: str) -> dict[str, str]:
    varying = {"Date": str(next(COUNTER)), "X-Trace": str(next(COUNTER))}
    shown = httpx.Headers({**{name.replace("_", "-"): value for name, value in headers.items()}, **varying})
    reply = Reply("POST", "http://127.0.0.1:9/login", status, shown, body.replace("EMAIL", email).encode(), 0.1, "api")
    return features(reply, {"email": email}, RULES.ignored_headers)


def kind(body: str, email: str, **more: Any) -> list[dict[str, str]]:
    return [refusal(body.replace("NUMBER", str(next(COUNTER))), email, **more) for _ in range(3)]


@pytest.mark.parametrize(
    "body",
    [
        '{"detail": "wrong e-mail or password"}',
        '{"detail": "no sign-in for EMAIL", "id": "NUMBER"}',
        '{"error": {"message": "wrong", "trace": NUMBER}}',
        "wrong e-mail or password",
        "",
    ],
)
def test_what_varies_or_was_sent_tells_nobody_anything(body: str) -> None:
    assert not differences(kind(body, KNOWN), kind(body, UNKNOWN))


@pytest.mark.parametrize(
    ("known", "unknown", "by"),
    [
        ({"body": '{"detail": "wrong"}'}, {"body": '{"detail": "wrong"}', "status": 404}, "status"),
        ({"body": '{"detail": "wrong password"}'}, {"body": '{"detail": "no account"}'}, "body.detail"),
        ({"body": '{"detail": "wrong", "left": 3}'}, {"body": '{"detail": "wrong"}'}, "body.left"),
        ({"body": '{"detail": ["a"]}'}, {"body": '{"detail": []}'}, "body.detail"),
        ({"body": "{}", "Retry_After": "1"}, {"body": "{}"}, "header retry-after"),
        ({"body": "{}", "WWW_Authenticate": "Bearer"}, {"body": "{}", "WWW_Authenticate": "Basic"}, "header www-authenticate"),
    ],
)
def test_what_differs_every_time_tells_them_apart(known: dict[str, Any], unknown: dict[str, Any], by: str) -> None:
    assert by in differences(kind(email=KNOWN, **known), kind(email=UNKNOWN, **unknown))


def test_what_is_there_now_and_then_tells_nothing() -> None:
    one = [refusal("{}", KNOWN), refusal("{}", KNOWN, X_Cache="hit"), refusal("{}", KNOWN)]
    assert not differences(one, kind("{}", UNKNOWN))


@pytest.mark.parametrize(
    ("shown", "is_new"),
    [("aaaaabb", True), ("aaabbbb", True), ("abababb", False), ("aaaaaaa", False), ("abbbbbb", False)],
)
def test_a_late_answer_shows_what_the_first_half_did_not(shown: str, is_new: bool) -> None:
    answers = [{"status": one} for one in shown]
    assert is_late(answers, -RULES.last_refusals, "status") is is_new


def times(lot: random.Random, own: float, vendor: float, noise: float) -> tuple[list[float], list[float]]:
    """Differences of the API and what they are beyond the vendor's, of as many pairs as are taken; some are far out."""
    count = RULES.sign_in_time.pairs

    def one(difference: float) -> float:
        return difference + lot.gauss(0, noise) + (lot.choice((-1, 1)) * 40 * noise if lot.random() < 0.05 else 0)

    theirs = [one(vendor) for _ in range(count)]
    api = [one(own) for _ in range(count)]
    return api, [mine - other for mine, other in zip(api, theirs, strict=True)]


def judged(lot: random.Random, own: float, vendor: float, noise: float) -> str:
    confidence = RULES.sign_in_time.confidence
    api, beyond = times(lot, own, vendor, noise)
    return verdict(spread(api, confidence), spread(beyond, confidence), TOLERANCE)


@pytest.mark.parametrize(
    ("own", "vendor", "noise", "wanted"),
    [
        (0, 0, 2, {"alike"}),
        # Supabase itself compares passwords of known addresses only: no fault of the API.
        (80, 80, 2, {"alike"}),
        # An API that answers both at the same time, whatever Supabase does.
        (0, 80, 2, {"alike"}),
        (100, 0, 5, {"apart"}),
        (-100, 0, 5, {"apart"}),
        (180, 80, 5, {"apart"}),
        # A machine under load says nothing, and nothing wrong.
        (0, 0, 300, {"unclear"}),
        (0, 0, 40, {"unclear", "alike"}),
    ],
)
def test_the_times_of_refusals(own: float, vendor: float, noise: float, wanted: set[str]) -> None:
    lot = random.Random(f"{own} {vendor} {noise}")
    found = [judged(lot, own, vendor, noise) for _ in range(200)]
    assert sum(each in wanted for each in found) >= 198
    # Too far out now and then is unclear, and never the opposite.
    assert set(found) <= {*wanted, "unclear"}


def test_a_loaded_machine_never_cries_wolf() -> None:
    lot = random.Random("wolf")
    assert "apart" not in {judged(lot, 3, 3, noise) for noise in (1, 10, 30, 100, 1000) for _ in range(400)}


def of_values(*values: float) -> tuple[Growth, Iterator[float]]:
    session = cast(Session, SimpleNamespace(read_only=False, is_loopback=True))
    found = iter(values)
    return Growth(session, Growing(batches=2, each=10, at_most=0.3), lambda: next(found)), found


def test_what_every_batch_leaves_is_kept() -> None:
    growth, _ = of_values(8, 13, 18)
    assert growth.per_piece(lambda _: None) == 0.5


@pytest.mark.parametrize("values", [(2, 8, 8), (8, 8), (8, 13, 14), (8, 5)])
def test_what_warms_up_or_jumps_once_is_not_kept(values: tuple[float, ...]) -> None:
    growth, _ = of_values(*values)
    assert growth.per_piece(lambda _: None) <= 0.3


def test_no_other_machine_is_loaded() -> None:
    session = cast(Session, SimpleNamespace(read_only=False, is_loopback=False))
    with pytest.raises(pytest.skip.Exception, match="only a target on this machine"):
        Growth(session, Growing(batches=2, each=1, at_most=1), lambda: 0.0)


def test_passwords_of_a_trial_have_their_size_and_hold_everything() -> None:
    learned: list[str] = []
    masking = SimpleNamespace(learn=lambda _, value: learned.append(value))
    api = SimpleNamespace(session=SimpleNamespace(spec=load(), masking=masking))
    trials = AccountTrials(cast(Any, api), cast(Any, None))
    for size in (RULES.longest_password_bytes, RULES.too_many_bytes):
        found = trials.password_of(size)
        assert len(found.encode()) == size
        assert " " in found
        assert not found.isascii()
        assert found.lower() != found != found.upper()
    assert len(learned) == 2
