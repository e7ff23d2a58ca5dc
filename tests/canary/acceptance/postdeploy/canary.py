"""Checks that shout a secret into every channel that a check has. Run by tests/test_canary.py, never by the gate itself."""

import base64
import logging
import sys
from collections.abc import Iterator
from urllib.parse import quote

import allure
import pytest

from fixtures.database import Database
from gate.failures import Facts, Failure, NotConfigured, not_applicable
from gate.http import Service, expect
from gate.plugin import session_of
from gate.session import Session
from tests.servers import answering

pytestmark = [pytest.mark.postdeploy, pytest.mark.checklist("6.3"), pytest.mark.component("api")]


@pytest.fixture(scope="session")
def session(pytestconfig: pytest.Config) -> Session:
    """The gate's own session, not the one of the project's tests."""
    found = session_of(pytestconfig)
    assert found is not None
    return found


@pytest.fixture
def secret(session: Session) -> str:
    """The canary: a secret of the target."""
    return session.settings.needed("OPENAI_API_KEY")


@pytest.fixture
def shouting_setup(secret: str) -> None:
    """Fails before the check."""
    raise ValueError(f"setup saw {secret}")


@pytest.fixture
def shouting_teardown(secret: str) -> Iterator[None]:
    """Fails after the check."""
    yield
    raise ValueError(f"teardown saw {secret}")


def test_in_an_expectation(secret: str) -> None:
    expect(secret, f"the key {secret}", f"look at {secret}").equals("another", f"it was {secret}")


def test_in_a_failure(secret: str) -> None:
    raise Failure(
        subject=f"header {secret}", expected=f"not {secret}", observed=Facts(seen=secret, detail=f"saw {secret}"),
        what=f"not {secret}", because=f"of {secret}", hint=f"at {secret}", component="api",
    )  # fmt: skip


def test_in_a_traceback_with_locals(secret: str) -> None:
    local = {"held": secret, "base64": base64.b64encode(f"user:{secret}".encode()).decode()}
    raise RuntimeError(f"unexpected {local}")


def test_in_a_chain_of_errors(secret: str) -> None:
    try:
        raise KeyError(secret)
    except KeyError as error:
        raise Failure(expected="a chain", observed=f"because of {error}") from error


def test_in_a_bare_assertion(secret: str) -> None:
    assert secret == "another"


def test_in_what_is_printed(secret: str) -> None:
    print(f"printed {secret}")
    print(f"printed {quote(secret + '/+', safe='')}", file=sys.stderr)
    logging.getLogger("canary").warning("logged %s", secret)
    raise Failure(expected="nothing printed", observed="something")


def test_in_evidence(session: Session, secret: str) -> None:
    evidence = session.evidence
    evidence.attach(f"name {secret}", f"text {secret}")
    with evidence.step(f"step {secret}"):
        evidence.attach("in base64", base64.b64encode(secret.encode()).decode())
    raise Failure(expected="no evidence", observed="some")


def test_in_an_exchange(session: Session, secret: str) -> None:
    with answering(lambda method, path, body: (200, {"echo": body, "key": secret})) as url:
        service = Service(session, url, "api").having({"X-Key": secret})
        reply = service.post(f"/?key={quote(secret)}", json={"sent": secret})
        expect(reply).status(500, because=f"it shows {secret}")


def test_in_an_answer_that_is_no_json(session: Session, secret: str) -> None:
    with answering(lambda method, path, body: (200, f"{{{secret}")) as url:
        Service(session, url, "api").get("/").object()


def test_in_a_query(database: Database, secret: str) -> None:
    database.fetch(f"SELECT '{secret}' AS seen, no_such_column")


def test_in_a_skip(secret: str) -> None:
    not_applicable(f"this target has {secret}")


def test_in_what_is_missing(secret: str) -> None:
    raise NotConfigured(f"set the key that is not {secret}")


@pytest.mark.parametrize("number", [1])
def test_in_a_parameter(number: int, secret: str) -> None:
    allure.dynamic.parameter("seen", secret)
    allure.dynamic.title(f"title {secret}")
    raise Failure(expected="no parameter", observed="one")


def test_in_setup(shouting_setup: None) -> None:
    assert shouting_setup is None


def test_in_teardown(shouting_teardown: None) -> None:
    assert shouting_teardown is None


def test_in_a_warning(secret: str) -> None:
    import warnings

    warnings.warn(f"careful with {secret}", UserWarning, stacklevel=1)
