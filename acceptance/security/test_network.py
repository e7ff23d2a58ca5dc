"""6.2 Network Security: TLS, CORS and trusted hosts (§6 Network Security; §1 Networking Configuration)."""

import re

import pytest

from fixtures.api import Api
from fixtures.network import asked_of_host, is_sent_home, page_for, preflight, shown_to
from fixtures.tls import CURRENT, Tls
from fixtures.violations import of_a_preflight, of_an_origin
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
VERSION = r"/\s*v?\d|\bv?\d+\.\d"
CORS_HINT = "CORS_ORIGINS of the API"


@pytest.fixture
def tls(session: Session) -> Tls:
    """TLS of the API; not applicable to a loopback address that is served without it."""
    return Tls(session)


@pytest.mark.about("tls.certificate")
def test_the_certificate_is_valid_for_the_host(tls: Tls) -> None:
    """§6 SSL/TLS: a trusted certificate for this host (F32)."""
    expect(tls.certificate(), "certificate of the API", subject=tls.subject).is_not_empty()


@pytest.mark.about("tls.certificate")
def test_the_certificate_is_not_about_to_expire(tls: Tls) -> None:
    """§6 SSL/TLS: the certificate outlives the next week, or has a good part of its short life left (F32)."""
    left = tls.days_left()
    facts, seen = {"error": "expiring", "days": round(left, 1)}, f"{left:.1f} days left"
    expect(left, "days until the certificate expires", seen=seen, subject=tls.subject, facts=facts).is_at_least(
        round(tls.days_wanted(), 1)
    )


@pytest.mark.about("tls.protocol", CURRENT)
def test_a_current_protocol_is_spoken(tls: Tls, session: Session, spec: Specification) -> None:
    """§6 SSL/TLS: TLS 1.2 or 1.3."""
    version = tls.version()
    session.observe("version of TLS", version)
    expect(version, "protocol").is_one_of(spec.networking.accepted_tls_versions)


@pytest.mark.about("tls.old", "protocol {version}")
@each("version", entries.refused_tls_versions)
def test_an_old_protocol_is_refused(tls: Tls, version: str) -> None:
    """§6 SSL/TLS: TLS 1.0 and 1.1 are off (F32)."""
    what, hint = f"a handshake with {version} to be refused", "the TLS settings of the proxy in front of the API"
    expect(not tls.accepts(version), what, hint, "it was accepted").is_true()


@pytest.mark.about("cors.missing", "origin {origin}")
@each("origin", entries.allowed_origins)
def test_the_front_end_may_call_the_api(api: Api, spec: Specification, origin: str) -> None:
    """§1 CORS Configuration: each origin of the staging front end passes the pre-flight (F20)."""
    reply = expect(preflight(api, origin, "POST")).status(
        *spec.networking.preflight_statuses, because=f"{origin} is an origin of the front end"
    )
    allowed = reply.headers.get("access-control-allow-origin")
    code, subject = of_an_origin(allowed, origin)
    expect(allowed, f"allowed origin for {origin}", CORS_HINT, code=code, subject=subject, of=reply).equals(origin)


@pytest.mark.about("cors.open", "origin {origin}")
@each("origin", entries.foreign_origins)
def test_a_foreign_page_may_not_call_the_api(api: Api, spec: Specification, origin: str) -> None:
    """§1 CORS Configuration: no other origin, and never every origin (F20)."""
    reply = expect(preflight(api, origin, "POST")).handled()
    allowed = shown_to(reply, origin, spec.networking.cors_origins)
    expect(allowed, f"allowed origin for {origin}", CORS_HINT, of=reply).is_one_of([None])


@pytest.mark.about("cors.open", "origin {origin}")
@each("origin", entries.foreign_origins)
def test_an_answer_is_not_shown_to_a_foreign_page(api: Api, caller_token: str, spec: Specification, origin: str) -> None:
    """§1 CORS Configuration: a simple request neither, whichever page it is for (F20)."""
    page = page_for(api, origin, spec.networking.foreign_origins)
    reply = expect(api.as_(caller_token).call(page, headers={"Origin": origin})).handled()
    allowed = shown_to(reply, origin, spec.networking.cors_origins)
    expect(allowed, f"allowed origin for {origin}", CORS_HINT, of=reply).is_one_of([None])


@pytest.mark.about("cors.missing")
@each("method", entries.cors_methods)
def test_the_preflight_allows_the_methods_in_use(api: Api, spec: Specification, method: str) -> None:
    """§1 CORS Configuration: the methods that the front end uses."""
    origin = spec.networking.cors_origins[0]
    reply = of_a_preflight(preflight(api, origin, method), origin).status(*spec.networking.preflight_statuses)
    allowed = reply.headers.get("access-control-allow-methods", "")
    methods = expect(
        allowed,
        "access-control-allow-methods",
        CORS_HINT,
        subject=f"origin {origin}",
        facts={"missing": [f"method {method}"]},
        of=reply,
    )
    methods.satisfies(lambda text: method in text or text == "*", f"to allow {method}")


@pytest.mark.about("cors.missing")
def test_the_preflight_allows_the_token(api: Api, spec: Specification) -> None:
    """§1 CORS Configuration: the Authorization header."""
    origin, method = spec.networking.cors_origins[0], spec.networking.cors_methods[0]
    reply = of_a_preflight(preflight(api, origin, method), origin).status(*spec.networking.preflight_statuses)
    allowed = reply.headers.get("access-control-allow-headers", "")
    headers = expect(
        allowed.lower(),
        "access-control-allow-headers",
        CORS_HINT,
        subject=f"origin {origin}",
        facts={"missing": ["header Authorization"]},
        of=reply,
    )
    headers.contains("authorization")


@pytest.mark.about("host.accepted", "host {host}")
@each("host", entries.foreign_hosts)
def test_a_foreign_host_is_refused(
    request: pytest.FixtureRequest, api: Api, caller_token: str, spec: Specification, host: str
) -> None:
    """§1 Trusted Hosts: on every page a Host header that names another host is refused, or sent to one of the service (F33)."""
    asked, sent = asked_of_host(api, host, lambda: request.getfixturevalue("user"))
    reply = api.as_(caller_token).call(asked, **sent)
    if not is_sent_home(reply, api.base_url, spec.networking.trusted_hosts):
        expect(reply).refusal(f"{host} is not a trusted host")


@pytest.mark.about("host.refused", "host {host}")
@each("host", entries.trusted_hosts)
def test_a_trusted_host_is_answered(api: Api, session: Session, host: str) -> None:
    """§1 Trusted Hosts: each trusted host is answered (F33)."""
    # Elsewhere a shared front end routes by host name: another trusted host would lead to another service.
    asked = host if session.is_loopback else api.host
    expect(api.call("health", headers={"Host": asked})).success()


@pytest.mark.about("header.version", "header Server")
def test_no_server_software_is_named_with_its_version(api: Api) -> None:
    """§6 Network Security: headers do not show an attacker which version is used."""
    reply = expect(api.call("health")).success()
    server = reply.headers.get("server", "")
    # A product's name may hold a digit (h2o); a version follows a slash, or has a point.
    expect(server, "Server header", of=reply).satisfies(lambda text: not re.search(VERSION, text), "to name no version")
