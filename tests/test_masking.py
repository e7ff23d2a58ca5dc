"""Masking: no form of a secret leaves the process, also where only its beginning is shown."""

import base64
from urllib.parse import quote

import pytest

from gate.failures import SHOWN, Failure, shorten
from gate.masking import MIN_LENGTH, Masking
from gate.messages import observed_text

SECRET = "s3cret/with+signs=and words"


@pytest.fixture
def masking() -> Masking:
    """One known secret."""
    found = Masking()
    found.learn("THE_KEY", SECRET)
    return found


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"Bearer {SECRET}.",
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.b64encode(f"us:{SECRET}:more".encode()).decode(),
    ],
    ids=["plain", "inside", "url", "base64", "basic-auth", "base64-inside"],
)
def test_every_form_is_masked(masking: Masking, text: str) -> None:
    shown = masking.mask(text)
    assert "THE_KEY" in shown
    assert SECRET not in shown
    assert base64.b64encode(SECRET.encode()).decode()[4:20] not in shown


@pytest.mark.parametrize("shown_characters", range(MIN_LENGTH, len(SECRET)))
def test_a_secret_cut_off_in_the_middle_is_masked(masking: Masking, shown_characters: int) -> None:
    lead = "x" * (SHOWN - shown_characters)
    shown = masking.mask(shorten(f"{lead}{SECRET} and more"))
    assert shown.startswith(f"{lead}[THE_KEY]…"), shown[SHOWN - shown_characters :]


def test_a_secret_cut_off_in_each_of_several_parts_is_masked(masking: Masking) -> None:
    part = f"{'x' * (SHOWN - 12)}{SECRET}"
    error = Failure(expected=part, observed=part, hint=part)
    shown = masking.mask(f"{error.expected}; {observed_text(error.observed)}; {error.hint}")
    assert SECRET[:MIN_LENGTH] not in shown
    assert shown.count("[THE_KEY]…") == 3


def test_what_looks_like_a_secrets_beginning_is_left_alone_elsewhere(masking: Masking) -> None:
    assert masking.mask(f"{SECRET[:12]} is no secret") == f"{SECRET[:12]} is no secret"


def test_evidence_is_printable_and_bounded() -> None:
    shown = shorten("\x1b[31mred\x1b[0m" + "x" * 10_000)
    assert "\x1b" not in shown
    assert len(shown) < SHOWN + 50


def test_short_values_are_left_alone(masking: Masking) -> None:
    masking.learn("SHORT", "abc")
    assert masking.mask("abc") == "abc"
