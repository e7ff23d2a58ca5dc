"""Rules of environment variables."""

from dataclasses import replace

import pytest

from fixtures.environment import Rule, url_part
from gate.session import Session

URL = "postgresql://staging_user:pass%40word@pooler.example.com:6543/staging_db"


def problem(session: Session, name: str, value: str | None, **others: str) -> str | None:
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
    assert problem(session, "OPENAI_API_KEY", None) == "missing"


def test_a_secret_is_not_shown(session: Session) -> None:
    found = problem(session, "DATABASE_URL", "postgresql://user:very-secret@")
    assert found
    assert "very-secret" not in found
