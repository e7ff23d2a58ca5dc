"""Rules of environment variables."""

import re
from dataclasses import replace

import pytest

from fixtures.environment import Breach, Rule, same_value, url_part
from fixtures.problems import Problem
from gate.session import Session
from spec import DEFAULT, load

URL = "postgresql://staging_user:pass%40word@pooler.example.com:6543/staging_db"


def problem(session: Session, name: str, value: str | None, **others: str) -> Problem | None:
    facts = replace(session.run, environments={"api": others | ({name: value} if value is not None else {})})
    return Rule(Session(facts, session.system), "api", name).problem()


@pytest.mark.parametrize("value", [None, "", '"staging"', "staging\n", " staging", "production"])
def test_a_fixed_value_is_exact(session: Session, value: str | None) -> None:
    assert problem(session, "ENVIRONMENT", value)


def test_the_right_value_has_no_problem(session: Session) -> None:
    assert problem(session, "ENVIRONMENT", "staging") is None
    assert problem(session, "DATABASE_URL", URL) is None


def test_the_direct_host_is_refused(session: Session) -> None:
    assert problem(session, "DATABASE_URL", "postgresql://u:p@db.abcdef.supabase.co:5432/postgres")


def test_parts_follow_the_url(session: Session) -> None:
    assert problem(session, "SUPABASE_DB_PASSWORD", "pass@word", DATABASE_URL=URL) is None
    assert problem(session, "SUPABASE_DB_HOST", "elsewhere", DATABASE_URL=URL)
    assert url_part(URL, "port") == "6543"
    assert url_part(URL, "name") == "staging_db"


def test_an_optional_key_may_be_missing_but_not_wrong(session: Session) -> None:
    assert problem(session, "ANTHROPIC_API_KEY", None) is None
    assert problem(session, "ANTHROPIC_API_KEY", "staging_anthropic_key")


@pytest.mark.parametrize(
    ("name", "value", "kind", "code"),
    [
        ("OPENAI_API_KEY", None, Breach.MISSING, "env.missing"),
        ("OPENAI_API_KEY", "", Breach.EMPTY, "env.missing"),
        ("OPENAI_API_KEY", "staging_openai_key", Breach.PLACEHOLDER, "env.placeholder"),
        ("ENVIRONMENT", "production", Breach.VALUE, "env.value"),
        ("ENVIRONMENT", "staging ", Breach.STRAY, "env.value"),
    ],
)
def test_the_kind_of_a_problem_gives_its_code(session: Session, name: str, value: str | None, kind: Breach, code: str) -> None:
    found = problem(session, name, value)
    assert found
    assert (found.error, found.code) == (kind, code)


def test_a_secret_is_not_shown(session: Session) -> None:
    found = problem(session, "DATABASE_URL", "postgresql://user:very-secret@")
    assert found
    assert "very-secret" not in found.detail


@pytest.mark.parametrize(
    ("value", "was_never_filled_in"),
    [
        ("sk-xxx", True),
        ("sk_xxxxxxxxxxxx", True),
        ("TODO", True),
        ("eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.q1xXxW_4kTODOs9", False),
        ("sb_secret_aXXxb-ztodoK", False),
    ],
)
def test_letters_in_a_random_key_are_no_placeholder(value: str, was_never_filled_in: bool) -> None:
    patterns = load(DEFAULT).placeholders.patterns
    assert any(re.fullmatch(pattern, value) for pattern in patterns) == was_never_filled_in


@pytest.mark.parametrize(
    ("value", "wanted", "is_same"),
    [
        ("0.30", "0.3", True),
        ("30.0", "30", True),
        ("31", "30", False),
        ("thirty", "30", False),
        ("False", "false", True),
        ("True", "false", False),
        ("b, a", "a,b", True),
        ("a,b,c", "a,b", False),
        ("info", "INFO", False),
    ],
)
def test_a_value_is_compared_by_what_it_means(value: str, wanted: str, is_same: bool) -> None:
    assert same_value(value, wanted, ["number", "flag", "list"]) == is_same
    assert same_value(value, wanted, []) == (value == wanted)
