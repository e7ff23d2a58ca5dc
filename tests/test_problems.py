"""What was found to be wrong is told by kinds, and a failure carries them."""

import asyncpg
import pytest

from fixtures.database import problem_of
from fixtures.problems import Problem, expect_none
from fixtures.refusals import Refusal
from gate.failures import Failure


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (asyncpg.InvalidPasswordError("no"), "db.refused"),
        (asyncpg.InvalidCatalogNameError("no"), "db.refused"),
        # A pooler's own error for an unknown user.
        (asyncpg.InternalServerError("no"), "db.refused"),
        (asyncpg.TooManyConnectionsError("no"), "db.exhausted"),
        (asyncpg.CannotConnectNowError("no"), "db.unreachable"),
        (asyncpg.ConnectionDoesNotExistError("no"), "db.unreachable"),
        (OSError(101, "no"), "db.unreachable"),
        (TimeoutError(), "db.unreachable"),
        (asyncpg.exceptions.ClientConfigurationError("no"), "env.value"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_kind_of_an_error_gives_its_code(error: Exception, code: str) -> None:
    found = problem_of(error)
    assert (found.code, found.error) == (code, type(error).__name__)


def test_a_failure_carries_the_kind_and_its_facts() -> None:
    problem = Problem("InvalidPasswordError", "for people", "db.refused", {"sqlstate": "28P01"})
    with pytest.raises(Failure) as raised:
        expect_none(problem, "refusals of the worker")
    assert raised.value.code == "db.refused"
    assert raised.value.observed["error"] == "InvalidPasswordError"
    assert raised.value.observed["sqlstate"] == "28P01"


def test_no_problem_is_no_failure() -> None:
    expect_none(None, "refusals of the worker")


@pytest.mark.parametrize(
    ("sqlstate", "code"),
    [
        ("28P01", "db.refused"),
        ("42501", "db.hidden"),
        ("42P01", "db.missing"),
        ("42703", "db.missing"),
        ("53300", "db.exhausted"),
        ("57P01", "db.unreachable"),
        ("22000", "db.statement"),
        ("57014", "db.statement"),
        ("", "db.statement"),
    ],
)
def test_a_statement_that_is_not_carried_out_has_a_code_by_its_sqlstate(sqlstate: str, code: str) -> None:
    assert Refusal("SomeError", sqlstate, "").code == code
