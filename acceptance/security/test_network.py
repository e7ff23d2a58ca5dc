"""6.2 Network Security: TLS, CORS and trusted hosts (§6 Network Security; §1 Networking Configuration)."""

import pytest

from fixtures.api import Api
from fixtures.network import Tls, preflight
from gate.http import expect
from gate.selection import each
from gate.session import Session
from spec import Specification, entries

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("6.2"),
    pytest.mark.component("network"),
    pytest.mark.needs("api"),
]
CORS_HINT = "CORS_ORIGINS of the API"


@pytest.fixture
def tls(session: Session) -> Tls:
    """TLS of the API; not applicable to a loopback address that is served without it."""
    return Tls(session)


def test_the_certificate_is_valid_for_the_host(tls: Tls) -> None:
    """§6 SSL/TLS: a trusted certificate for this host (F32)."""
    expect(tls.problem(), "problem with the certificate", "the API's certificate; Render's custom domains").equals(None)


def test_the_certificate_is_not_about_to_expire(tls: Tls, spec: Specification) -> None:
    """§6 SSL/TLS: the certificate outlives the next week (F32)."""
    expect(tls.days_left(), "days until the certificate expires").is_at_least(spec.networking.certificate_days_left)


def test_a_current_protocol_is_spoken(tls: Tls, spec: Specification) -> None:
    """§6 SSL/TLS: TLS 1.2 or 1.3."""
    expect(tls.version(), "protocol").is_one_of(spec.networking.accepted_tls_versions)


@each("version", entries.refused_tls_versions)
def test_an_old_protocol_is_refused(tls: Tls, version: str) -> None:
    """§6 SSL/TLS: TLS 1.0 and 1.1 are off (F32)."""
    expect(tls.accepts(version), f"a handshake with {version}", "the proxy in front of the API").equals(False)


@each("origin", entries.allowed_origins)
def test_the_front_end_may_call_the_api(api: Api, spec: Specification, origin: str) -> None:
    """§1 CORS Configuration: each origin of the staging front end passes the pre-flight (F20)."""
    reply = expect(preflight(api, origin, "POST")).status(
        *spec.networking.preflight_statuses, because=f"{origin} is an origin of the front end"
    )
    expect(reply.headers.get("access-control-allow-origin"), f"allowed origin for {origin}", CORS_HINT).equals(origin)


@each("origin", entries.foreign_origins)
def test_a_foreign_page_may_not_call_the_api(api: Api, origin: str) -> None:
    """§1 CORS Configuration: no other origin, and never every origin (F20)."""
    allowed = expect(preflight(api, origin, "POST")).handled().headers.get("access-control-allow-origin")
    expect(allowed, f"allowed origin for {origin}", CORS_HINT).is_one_of([None, ""])


@each("origin", entries.foreign_origins)
def test_an_answer_is_not_shown_to_a_foreign_page(api: Api, origin: str) -> None:
    """§1 CORS Configuration: a simple request neither (F20)."""
    reply = expect(api.call("health", headers={"Origin": origin})).handled()
    allowed = reply.headers.get("access-control-allow-origin")
    expect(allowed, f"allowed origin for {origin}", CORS_HINT).is_one_of([None, ""])


@each("method", entries.cors_methods)
def test_the_preflight_allows_the_methods_in_use(api: Api, spec: Specification, method: str) -> None:
    """§1 CORS Configuration: the methods that the front end uses."""
    reply = preflight(api, spec.networking.cors_origins[0], method)
    allowed = expect(reply).status(*spec.networking.preflight_statuses).headers.get("access-control-allow-methods", "")
    expect(allowed, "access-control-allow-methods", CORS_HINT).satisfies(
        lambda text: method in text or text == "*", f"to allow {method}"
    )


def test_the_preflight_allows_the_token(api: Api, spec: Specification) -> None:
    """§1 CORS Configuration: the Authorization header."""
    reply = preflight(api, spec.networking.cors_origins[0], spec.networking.cors_methods[0])
    allowed = expect(reply).status(*spec.networking.preflight_statuses).headers.get("access-control-allow-headers", "")
    expect(allowed.lower(), "access-control-allow-headers", CORS_HINT).contains("authorization")


@each("host", entries.foreign_hosts)
def test_a_foreign_host_is_refused(api: Api, host: str) -> None:
    """§1 Trusted Hosts: a Host header that names another host is refused (F33)."""
    expect(api.call("health", headers={"Host": host})).refusal(f"{host} is not a trusted host")


@each("host", entries.trusted_hosts)
def test_a_trusted_host_is_answered(api: Api, session: Session, host: str) -> None:
    """§1 Trusted Hosts: each trusted host is answered (F33)."""
    # Elsewhere a shared front end routes by host name: another trusted host would lead to another service.
    asked = host if session.is_loopback else api.host
    expect(api.call("health", headers={"Host": asked})).success()


def test_no_server_software_is_named_with_its_version(api: Api) -> None:
    """§6 Network Security: headers do not show an attacker which version is used."""
    server = expect(api.call("health")).success().headers.get("server", "")
    expect(server, "Server header").satisfies(lambda text: not any(c.isdigit() for c in text), "to name no version")
