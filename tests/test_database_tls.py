"""The database's own TLS, judged on a PostgreSQL that speaks it: what is right passes, what is wrong is named."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from acceptance.maintenance import test_database_tls as checks
from fixtures.database_tls import DatabaseConnections, sqlstate, startup
from gate.failures import Failure, NotConfigured
from gate.session import Session
from tests.conftest import with_values
from tests.postgres_with_tls import ALLOWS, DEMANDS, OLD, PostgresWithTls, installed
from twin.certificates import issued

Issue = Callable[[trustme.CA], trustme.LeafCert | None]
NAMES = ("localhost",)


def _expired(authority: trustme.CA) -> trustme.LeafCert:
    now = datetime.now(UTC)
    return authority.issue_cert(*NAMES, not_before=now - timedelta(days=90), not_after=now - timedelta(days=1))


def _right(authority: trustme.CA) -> trustme.LeafCert:
    return issued(authority)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresWithTls]:
    """A server of this machine; skipped where none is installed."""
    programs = installed()
    if programs is None:
        pytest.skip("no PostgreSQL with TLS is installed (Debian: postgresql)")
    found = PostgresWithTls(programs)
    yield found
    found.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """An authority, and the file that names it."""
    made, file = trustme.CA(), tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(str(file))
    return made, file


def outcomes(session: Session) -> dict[str, str]:
    """What every check of the database's TLS says that is not a pass: code and error, or why it says nothing."""
    found: dict[str, str] = {}
    for name, check in inspect.getmembers(checks, inspect.isfunction):
        if not name.startswith("test_"):
            continue
        given = {"connections": _judged(session, refuses_plain=True), "spec": session.spec}
        arguments = {key: value for key, value in given.items() if key in inspect.signature(check).parameters}
        try:
            check(**arguments)
        except Failure as failure:
            marks = {mark.name: mark.args for mark in getattr(check, "pytestmark", [])}
            seen = failure.observed.get("error") or failure.observed.get("value")
            found[name] = f"{failure.code or marks['about'][0]} {seen}"
        except NotConfigured as error:
            found[name] = f"not judged: {error.setting}"
        except pytest.skip.Exception:
            found[name] = "not applicable"
    return found


CASES: dict[str, tuple[Issue, dict[str, str], str, set[str]]] = {
    "right": (_right, {}, DEMANDS, set()),
    "expired": (_expired, {}, DEMANDS, {"tls.certificate expired"}),
    "wrong-host": (lambda ca: issued(ca, "elsewhere.example"), {}, DEMANDS, {"tls.certificate wrong host"}),
    "self-signed": (lambda _: issued(trustme.CA()), {}, DEMANDS, {"tls.certificate unknown authority"}),
    "old-protocols": (_right, OLD, DEMANDS, {"tls.old ['TLSv1', 'TLSv1_1']"}),
    "plain-allowed": (_right, {}, ALLOWS, {"transport.plain True"}),
    "without-tls": (lambda _: None, {}, ALLOWS, {"transport.plain False"}),
}


@pytest.mark.twin
@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_named_and_what_is_right_passes(
    name: str, postgres: PostgresWithTls, authority: tuple[trustme.CA, Path], session: Session
) -> None:
    issue, settings, access, wanted = CASES[name]
    url = postgres.start(issue(authority[0]), settings, access)
    asking = with_values(session, DATABASE_URL=url, HARNESS_DATABASE_CA_FILE=str(authority[1]))
    try:
        found = outcomes(asking)
    finally:
        asking.close()
    assert {text for text in found.values() if text != "not applicable"} == wanted
    assert ("not applicable" in found.values()) is (name == "without-tls")


@pytest.mark.twin
def test_an_authority_that_is_not_named_is_not_judged(
    postgres: PostgresWithTls, authority: tuple[trustme.CA, Path], session: Session
) -> None:
    asking = with_values(session, DATABASE_URL=postgres.start(issued(authority[0]), {}))
    with pytest.raises(pytest.skip.Exception, match="HARNESS_DATABASE_CA_FILE"):
        DatabaseConnections(asking)
    connections = _judged(asking)
    with pytest.raises(NotConfigured, match="HARNESS_DATABASE_CA_FILE"):
        connections.verified()
    assert connections.tls.presented().days_left > 0
    asking.close()


def _judged(session: Session, **rules: bool) -> DatabaseConnections:
    """The connections of a database that is judged although it is on loopback, by these rules."""
    tls = session.spec.tls
    assert tls.database is not None
    rule = tls.database.model_copy(update={"judges_loopback": True} | rules)
    session.spec = session.spec.model_copy(update={"tls_section": tls.model_copy(update={"database": rule})})
    return DatabaseConnections(session)


def test_a_start_without_tls_names_user_and_database_only() -> None:
    sent = startup("postgresql://some%20one:secret@db.test:6543/staging_db?sslmode=require")
    assert sent[8:] == b"user\0some one\0database\0staging_db\0\0"
    assert int.from_bytes(sent[:4], "big") == len(sent)


def test_the_state_of_a_refusal_is_read() -> None:
    assert sqlstate(b"E\0\0\0\x20SFATAL\0C28000\0Mno entry\0\0") == "28000"
    assert sqlstate(b"R\0\0\0\x08\0\0\0\0") == ""
