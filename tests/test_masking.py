"""Masking: no form of a secret leaves the process."""

import base64
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from fixtures import masking
from gate.expect import SHOWN, CheckFailed, shorten

SECRET = "s3cret/with+signs=and words"


@pytest.fixture(autouse=True)
def learnt() -> Iterator[None]:
    """One known secret."""
    masking.forget()
    masking.learn("THE_KEY", SECRET)
    yield
    masking.forget()


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
def test_every_form_is_masked(text: str) -> None:
    shown = masking.mask(text)
    assert "THE_KEY" in shown
    assert SECRET not in shown
    assert base64.b64encode(SECRET.encode()).decode()[4:20] not in shown


def test_failures_are_masked_at_the_source() -> None:
    error = CheckFailed(f"no {SECRET}", f"there is {SECRET}", f"look at {SECRET}")
    assert SECRET not in f"{error} {error.expected} {error.observed} {error.look}"


def test_evidence_is_printable_and_bounded() -> None:
    shown = shorten("\x1b[31mred\x1b[0m" + "x" * 10_000)
    assert "\x1b" not in shown
    assert len(shown) < SHOWN + 50


def test_short_values_are_left_alone() -> None:
    masking.learn("SHORT", "abc")
    assert masking.mask("abc") == "abc"
