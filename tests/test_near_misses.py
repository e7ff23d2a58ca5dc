"""What is nearly a password, and what counts as a request that refused sign-ins hold up."""

from __future__ import annotations

import unicodedata

import pytest

from fixtures.near_misses import general, special, with_one_letter
from fixtures.sign_in_pace import Span, Watcher, waited
from spec import load
from spec.account_entries import password_forms

RULES = load().accounts
PACE = RULES.pace


def password(pieces: list[str]) -> str:
    return "".join(piece.replace("…", "Gt7a1b2") for piece in pieces)


@pytest.mark.parametrize("form", RULES.passwords)
def test_no_form_is_longer_than_a_password_may_be(form: str) -> None:
    whole = password(RULES.passwords[form])
    assert len(whole.encode()) <= RULES.longest_password_bytes
    assert "\0" not in whole


@pytest.mark.parametrize("form", RULES.passwords)
def test_every_form_has_near_misses_and_none_is_the_password(form: str) -> None:
    whole = password(RULES.passwords[form])
    found = special(whole, 4)
    assert found
    assert whole not in found.values()
    assert len(set(found.values())) == len(found)


def test_what_a_change_makes_of_a_form_is_among_its_near_misses() -> None:
    form = password(RULES.passwords["letters that NFKC changes"])
    assert special(form, 4)["normalised by NFKC"] == unicodedata.normalize("NFKC", form)
    blanks = password(RULES.passwords["blanks"])
    assert blanks.strip() in special(blanks, 4).values()


def test_a_long_password_is_missed_by_its_beginning() -> None:
    long = "a" * 40 + "B" * 60
    near = general(long, 72)
    assert near["cut to the longest"] == long[:72]
    assert long not in near.values()
    # One that is not too long has no other beginning.
    assert "cut to the longest" not in general(long[:72], 72)


def test_one_letter_is_in_the_other_case_first_middle_or_last() -> None:
    found = with_one_letter("7 gtßAb1")
    assert list(found.values()) == ["7 GtßAb1", "7 gtßAB1", "7 gtßab1"]
    assert all(sum(a != b for a, b in zip("7 gtßAb1", other, strict=True)) == 1 for other in found.values())
    assert with_one_letter("7!") == {}
    assert general("7!", 72)
    near = [general("g7t", 72, turn) for turn in range(3)]
    assert {other for each in near for other in each.values()} >= {"G7t", "g7T"}


def test_the_sizes_that_supabase_keeps_have_each_place_among_them() -> None:
    kept = [at for at, size in enumerate(RULES.password_bytes) if size <= RULES.longest_password_bytes]
    labels = {label for at in kept for label in general("Gt7a1b2c3", 72, at) if label.endswith("letter in the other case")}
    assert len(labels) == 3


def test_forms_of_text_and_of_size_are_entries() -> None:
    entries = list(password_forms(load()))
    assert entries == [*RULES.passwords, *(f"{size} bytes" for size in RULES.password_bytes)]


@pytest.mark.parametrize(
    ("watched", "is_held"),
    [
        ([(0.0, 0.1), (0.2, 0.3)], False),
        # One is chance, two are not; one that waits for very long is not either.
        ([(0.0, 0.6)], False),
        ([(0.0, 0.6), (0.7, 1.4)], True),
        ([(0.0, 1.7)], True),
        # What waits while nobody signs in waits for something else.
        ([(5.0, 5.9), (6.0, 8.0)], False),
    ],
)
def test_held_up_is_what_waits_beside_a_refusal(watched: list[Span], is_held: bool) -> None:
    assert waited(watched, [(0.0, 1.5), (1.6, 2.0)], PACE) is is_held


def test_a_watcher_shows_what_it_asked() -> None:
    asked: list[int] = []
    with Watcher(lambda: asked.append(1)) as watcher:
        while len(asked) < 2:
            pass
    assert len(watcher.spans) == len(asked)
