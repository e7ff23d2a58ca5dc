"""9.3 Security Review: certificates, protocols, ciphers and plain http of each host (§6 Network Security)."""

import pytest

from fixtures import tls_strength as strength
from fixtures.plain_http import follow, plain_address
from fixtures.tls import Tls
from fixtures.tls_scan import scan
from gate.failures import Failure
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification
from spec import transport_entries as entries
from spec.model import TlsHost

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("9.3"),
    pytest.mark.component("network"),
    promised("tls"),
]
BY_NAME = each("host", entries.hosts)


@pytest.mark.about("tls.certificate")
@BY_NAME
def test_the_chain_is_complete_and_trusted(session: Session, host: TlsHost) -> None:
    """§6 SSL/TLS: all certificates up to a trusted authority are sent, and the first one is this host's (F32)."""
    tls = Tls.of(session, host)
    sent = len(tls.chain())
    expect(tls.certificate(), f"the chain of {sent} certificates", subject=tls.subject, component=tls.component).is_not_empty()


@pytest.mark.about("tls.certificate")
@BY_NAME
def test_the_certificate_has_days_left(session: Session, spec: Specification, host: TlsHost) -> None:
    """§6 SSL/TLS: the certificate outlives the next week, or has a good part of its short life left (F32)."""
    strength.expect_time_left(Tls.of(session, host), spec)


@pytest.mark.about("certificate.weak")
@BY_NAME
def test_the_certificate_is_not_valid_for_years(session: Session, spec: Specification, host: TlsHost) -> None:
    """§6 SSL/TLS: a certificate that the host renews by itself lives no longer than authorities may issue it."""
    tls = Tls.of(session, host)
    found = strength.long_lives([tls.presented()], spec.tls, is_own=bool(session.settings.path("HARNESS_CA_FILE")))
    strength.expect_none(found, "to send no certificate that is valid for too long", tls)


@pytest.mark.about("certificate.weak")
@BY_NAME
def test_the_keys_are_long_enough(session: Session, spec: Specification, host: TlsHost) -> None:
    """§6 SSL/TLS: the keys of all certificates that are sent."""
    tls = Tls.of(session, host)
    strength.expect_none(strength.short_keys(tls.chain(), spec.tls), "to send no certificate with a short key", tls)


@pytest.mark.about("certificate.weak")
@BY_NAME
def test_the_signatures_cannot_be_forged(session: Session, spec: Specification, host: TlsHost) -> None:
    """§6 SSL/TLS: no certificate that is sent is signed with MD5 or SHA-1."""
    tls = Tls.of(session, host)
    strength.expect_none(strength.old_signatures(tls.chain(), spec.tls), "to send no certificate with an old signature", tls)


@pytest.mark.about("tls.old")
@BY_NAME
def test_old_protocols_are_refused(session: Session, spec: Specification, host: TlsHost) -> None:
    """§6 SSL/TLS: TLS 1.0 and 1.1 are off (F32)."""
    tls = Tls.of(session, host)
    found = tls.accepted_of(spec.networking.refused_tls_versions)
    strength.expect_none(found, "to accept no old protocol", tls, f"protocol {(found or ['TLS'])[0]}")


@pytest.mark.about("transport.weak")
@BY_NAME
def test_weak_ciphers_are_refused(session: Session, spec: Specification, host: TlsHost) -> None:
    """§6 SSL/TLS: whoever offers nothing but ciphers without encryption, without authentication or of old kinds is refused."""
    tls = Tls.of(session, host)
    found = strength.weak_ciphers(tls, spec.tls)
    strength.expect_none(found, "to accept no weak cipher", tls, f"ciphers {' '.join(found)}".strip())


@pytest.mark.about("transport.weak")
@BY_NAME
def test_what_was_recorded_stays_secret(session: Session, spec: Specification, host: TlsHost) -> None:
    """§6 SSL/TLS: a usual client gets a cipher with forward secrecy."""
    tls = Tls.of(session, host)
    cipher = tls.seen().cipher
    held = expect(cipher, f"cipher of {tls.name}", tls.hint, subject=f"ciphers {cipher}", component=tls.component)
    held.satisfies(lambda _: strength.keeps_the_past_secret(tls, spec.tls), "to have forward secrecy")


@pytest.mark.about("tls.old")
@BY_NAME
def test_ssl_is_refused(session: Session, spec: Specification, host: TlsHost) -> None:
    """§6 SSL/TLS: SSL 2 and 3 are off; only the scanner can ask (F32)."""
    tls = Tls.of(session, host)
    found = scan(session, tls).accepted(spec.tls.older_versions)
    strength.expect_none(found, "to accept no old protocol", tls, f"protocol {(found or ['SSL'])[0]}")


@pytest.mark.about("transport.weak")
@BY_NAME
def test_ciphers_of_earlier_decades_are_refused(session: Session, spec: Specification, host: TlsHost) -> None:
    """§6 SSL/TLS: of the ciphers that only the scanner can still offer, none is accepted."""
    tls = Tls.of(session, host)
    found = scan(session, tls).weak(spec.tls.weak_ciphers)
    names = [name for family in found.values() for name in family]
    strength.expect_none(names, "to accept no weak cipher", tls, f"ciphers {' '.join(found)}".strip())


@pytest.mark.about("transport.weak")
@BY_NAME
def test_renegotiation_and_compression_are_off(session: Session, host: TlsHost) -> None:
    """§6 SSL/TLS: no insecure renegotiation, none at the client's wish, and no compression."""
    tls = Tls.of(session, host)
    strength.expect_none(
        scan(session, tls).loose(),
        "to allow none of insecure renegotiation, renegotiation by the client, compression",
        tls,
        f"protocol {tls.name}",
    )


@pytest.mark.about("transport.plain")
@each("host", entries.redirecting_hosts)
def test_plain_http_leads_to_https(session: Session, spec: Specification, host: TlsHost) -> None:
    """§6 SSL/TLS: plain http is closed, refused, or redirected to https at this service, without going in circles."""
    rule, tls = spec.tls.plain_http, Tls.of(session, host)
    walk = follow(plain_address(session, host), rule, session.spec.safety.request_seconds)
    subject, steps = f"host {tls.place.host}", " → ".join(walk.steps)
    served = expect(walk.serves_plainly, "answers over plain http", "the redirect at the host", steps, subject=subject)
    served.equals(False)
    own = [tls.place.host, *spec.networking.trusted_hosts]
    wrong = "back to http" if walk.is_downgraded() else walk.stray(own)
    if wrong:
        raise Failure(
            "transport.redirect",
            subject,
            expected=f"redirects that end at {session.api_url}",
            observed=wrong,
            because=steps,
            hint="the redirect at the host",
            component=host.component,
        )
