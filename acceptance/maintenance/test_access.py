"""6.1, 6.3 The access matrix, thoroughly: cells that say little more than others do, each of them all the same."""

import pytest

from fixtures.access.matrix import AccessMatrix
from gate.selection import each, promised
from spec import access_entries

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.needs("api", "users", "database"),
    promised("access", "pipeline", "row_security"),
]


@pytest.mark.checklist("6.1")
@pytest.mark.component("auth")
@pytest.mark.about("auth.accepted")
@each("what", access_entries.thorough_at_the_api)
def test_no_further_token_opens_anything(access: AccessMatrix, what: str) -> None:
    """§6 JWT Tokens: a token that was cut off opens nothing (F25)."""
    access.hold(what, thorough=True)


@pytest.mark.checklist("6.1")
@pytest.mark.component("auth")
@pytest.mark.about("auth.accepted")
@each("what", access_entries.thorough_signed)
def test_no_further_claims_open_anything(access: AccessMatrix, what: str) -> None:
    """§6 JWT Tokens: a token that ended an hour ago, or that another issuer names, opens nothing (F25)."""
    access.hold(what, signed=True, thorough=True)


@pytest.mark.checklist("6.3")
@pytest.mark.component("storage")
@pytest.mark.about("storage.open")
@each("what", access_entries.thorough_objects)
def test_no_forged_token_opens_a_file(access: AccessMatrix, what: str) -> None:
    """contract Storage: a forged token opens no file, and no folder without an owner (F23)."""
    access.hold(what, thorough=True)


@pytest.mark.checklist("6.3")
@pytest.mark.component("database")
@pytest.mark.needs("database")
@pytest.mark.about("db.open")
@each("what", access_entries.rows)
def test_a_row_is_shown_to_its_user_only(access: AccessMatrix, what: str) -> None:
    """contract Database: the REST view shows a user's row to no other user (F24)."""
    access.hold(what, thorough=True)


@pytest.mark.checklist("6.3")
@pytest.mark.component("supabase")
@pytest.mark.about("isolation.read")
@each("what", access_entries.operators)
def test_an_operators_request_takes_the_service_key(access: AccessMatrix, what: str) -> None:
    """§6 Service Role Keys: what takes the service-role key is refused to everybody else."""
    access.hold(what, thorough=True)
