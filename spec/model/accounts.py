"""contract: HTTP API, Auth: what signing in, registering and signing out may show, accept and leave."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Entry, Sectioned


class SignInTime(Entry):
    """How the times of two refusals are compared.

    Each pair is one refusal of either kind. What their medians differ by counts beyond the tolerance, and beyond what Supabase
    Auth's own refusals differ by; it is not judged where its interval at this confidence does not lie on one side.
    """

    pairs: int = Field(gt=0)
    fewest: int = Field(gt=0)
    tolerance_ms: float = Field(gt=0)
    confidence: float = Field(gt=0, lt=1)


class SignInPace(Entry):
    """How other requests are watched while sign-ins are refused: so many of one address in a row, then at once.

    A request is held up where it takes longer than this; the endpoints need no token.
    """

    in_a_row: int = Field(ge=2)
    at_once: int = Field(ge=2)
    held_seconds: float = Field(gt=0)
    # How many such requests are more than chance.
    held: int = Field(ge=1)
    watched: list[str] = Field(min_length=1)


class AccountRules(Sectioned):
    """What is tried with accounts of the run's own."""

    # How many answers of each kind are compared, and how many of the last ones once more by themselves.
    refusals: int = Field(ge=2)
    last_refusals: int = Field(ge=2)
    slower_seconds: float = Field(gt=0)
    # Headers that differ from answer to answer, whoever asks.
    ignored_headers: list[str]
    # How the names of all that register end: letters beyond ASCII, an apostrophe, a hyphen.
    name_end: str = Field(min_length=1)
    # Letters of both cases, spaces, letters beyond ASCII, a number: what a password may hold.
    password_start: str
    # Supabase Auth takes no longer one, because bcrypt reads no further.
    longest_password_bytes: int = Field(gt=0)
    too_many_bytes: int = Field(gt=0)
    too_short_password: str
    registrations_at_once: int = Field(ge=2)
    # The column by which a table is one of accounts, where an index makes it unique.
    address_column: str
    sign_in_time: SignInTime
    pace: SignInPace
    # Forms of passwords: pieces of one password, tried one by one where the whole is refused; `…` stands for `password_filler`
    # and a few letters.
    passwords: dict[str, list[str]]
    password_filler: str
    password_bytes: list[int]
