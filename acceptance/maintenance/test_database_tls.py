"""9.3 Security Review: TLS of the database's own connections (§6 Network Security; sslmode=verify-full)."""

import pytest

from fixtures import tls_strength as strength
from fixtures.database_tls import COMPONENT, DatabaseConnections
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import promised
from gate.session import Session
from spec import Specification

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("9.3"),
    pytest.mark.component(COMPONENT),
    pytest.mark.needs("database"),
    promised("tls", "database"),
]


@pytest.fixture
def connections(session: Session, spec: Specification) -> DatabaseConnections:
    """How the database is reached; not applicable on this machine, unless its authority is named."""
    if spec.tls.database is None:
        not_applicable("the specification promises nothing of the database's TLS")
    return DatabaseConnections(session)


@pytest.mark.about("transport.plain", "connections database")
def test_the_database_offers_tls(connections: DatabaseConnections) -> None:
    """§6 SSL/TLS: a connection to the database can be encrypted."""
    expect(connections.offers_tls(), "TLS is offered", "ssl in the server's configuration").equals(True)


@pytest.mark.about("tls.certificate")
def test_the_database_has_a_trusted_certificate(connections: DatabaseConnections) -> None:
    """§6 SSL/TLS: the database proves who it is, by an authority that is known and for this host."""
    tls = connections.verified()
    expect(tls.certificate(), "certificate of the database", subject=tls.subject).is_not_empty()


@pytest.mark.about("tls.certificate")
def test_the_databases_certificate_has_days_left(connections: DatabaseConnections, spec: Specification) -> None:
    """§6 SSL/TLS: the database's certificate does not expire within the week."""
    strength.expect_time_left(connections.tls, spec)


@pytest.mark.about("tls.certificate")
def test_a_client_that_verifies_everything_gets_in(connections: DatabaseConnections) -> None:
    """§6 SSL/TLS: a login with sslmode=verify-full succeeds, as the services could make it."""
    connections.require_login()


@pytest.mark.about("certificate.weak")
def test_the_databases_certificates_are_strong(connections: DatabaseConnections, spec: Specification) -> None:
    """§6 SSL/TLS: keys are long enough, and no signature can be forged."""
    tls = connections.tls
    chain = tls.chain()
    found = [*strength.short_keys(chain, spec.tls), *strength.old_signatures(chain, spec.tls)]
    strength.expect_none(found, "to send no certificate with a short key or an old signature", tls)


@pytest.mark.about("tls.old")
def test_the_database_refuses_old_protocols(connections: DatabaseConnections, spec: Specification) -> None:
    """§6 SSL/TLS: TLS 1.0 and 1.1 are off at the database too."""
    tls = connections.tls
    found = tls.accepted_of(spec.networking.refused_tls_versions)
    strength.expect_none(found, "to accept no old protocol", tls, f"protocol {(found or ['TLS'])[0]}")


@pytest.mark.about("transport.weak")
def test_the_database_refuses_weak_ciphers(connections: DatabaseConnections, spec: Specification) -> None:
    """§6 SSL/TLS: weak ciphers are off at the database too."""
    tls = connections.tls
    found = strength.weak_ciphers(tls, spec.tls)
    strength.expect_none(found, "to accept no weak cipher", tls, f"ciphers {' '.join(found)}".strip())


@pytest.mark.about("transport.plain", "connections database")
def test_the_database_refuses_connections_without_tls(connections: DatabaseConnections) -> None:
    """§6 SSL/TLS: a client without TLS is turned away before it sends a password."""
    if not connections.rule.refuses_plain:
        not_applicable("connections without TLS are allowed")
    connections.needs_tls()
    accepted = connections.accepts_plain()
    expect(accepted, "connections without TLS are accepted", "Enforce SSL at the database").equals(False)
