"""What a handshake and its certificates show, and what sslyze says of a server."""

from __future__ import annotations

import ssl
from datetime import timedelta
from types import SimpleNamespace

import pytest
import trustme

from fixtures import tls_scan
from fixtures import tls_strength as strength
from fixtures.certificates import Certificate
from fixtures.handshake import Place
from fixtures.internals.sslyze_ import facts_of
from fixtures.tls import Tls
from fixtures.tls_scan import Scan
from gate.failures import Failure, NotConfigured
from gate.session import Session
from tests.tls_server import EVERYTHING, serving
from twin.certificates import issued
from twin.faults.live_transport import _sha1, _short

RIGHT = Scan({"SSLv2": [], "SSLv3": [], "TLSv1.2": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]}, True, False, False)
AUTHORITY = trustme.CA()


def chain_of(certificate: trustme.LeafCert) -> list[Certificate]:
    return [Certificate(ssl.PEM_cert_to_DER_cert(blob.bytes().decode())) for blob in certificate.cert_chain_pems]


def test_a_certificate_is_read(session: Session) -> None:
    found = chain_of(issued(AUTHORITY, life=timedelta(days=90)))[0]
    assert found.key == ("ec", 256)
    assert found.signature == "sha256"
    assert (round(found.life), round(found.days_left)) == (91, 90)
    assert not found.is_self_issued
    assert not strength.short_keys([found], session.spec.tls)
    assert not strength.old_signatures([found], session.spec.tls)


def test_short_keys_and_old_signatures_are_named(session: Session) -> None:
    assert strength.short_keys(chain_of(_short(AUTHORITY)), session.spec.tls) == ["rsa 1024"]
    found = chain_of(_sha1(AUTHORITY))
    assert len(found) == 2
    assert strength.old_signatures(found, session.spec.tls) == ["sha1"]


def test_a_handshake_shows_the_whole_chain(session: Session) -> None:
    certificate = issued(AUTHORITY.create_child_ca())
    with serving(certificate) as place:
        tls = Tls(session, place)
        assert [found.issuer for found in tls.chain()] == [found.issuer for found in chain_of(certificate)]
        assert not strength.weak_ciphers(tls, session.spec.tls)
        assert strength.keeps_the_past_secret(tls, session.spec.tls)
        assert not tls.accepted_of(["SSLv2", "TLSv1", "TLSv1_1"])


def test_weak_families_and_old_protocols_are_noticed(session: Session) -> None:
    with serving(issued(AUTHORITY, key_type=trustme.KeyType.RSA), ciphers=EVERYTHING, oldest="1.0") as place:
        tls = Tls(session, place)
        assert strength.weak_ciphers(tls, session.spec.tls) == ["NULL", "anonymous", "MD5"]
        assert tls.accepted_of(["TLSv1", "TLSv1_1"]) == ["TLSv1", "TLSv1_1"]


def test_a_certificate_that_ends_soon_is_a_failure(session: Session) -> None:
    with serving(issued(AUTHORITY, life=timedelta(hours=5))) as place, pytest.raises(Failure) as raised:
        strength.expect_time_left(Tls(session, place), session.spec)
    assert raised.value.observed["error"] == "expiring"


def test_a_host_that_is_not_there_is_not_judged(session: Session) -> None:
    with pytest.raises(NotConfigured, match="connection refused"):
        Tls(session, Place("127.0.0.1", 9)).seen()


# ── The scanner ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.twin
def test_sslyze_finds_nothing_at_a_current_server_and_names_what_an_old_one_accepts(session: Session) -> None:
    pytest.importorskip("sslyze")
    _give_time(session, 60)
    with serving(issued(AUTHORITY)) as place:
        found = tls_scan.scan(session, Tls(session, place))
        assert not found.accepted(session.spec.tls.older_versions)
        assert not found.weak(session.spec.tls.weak_ciphers)
        assert not found.loose()
    with serving(issued(AUTHORITY, key_type=trustme.KeyType.RSA), ciphers=EVERYTHING, newest="1.2") as place:
        weak = tls_scan.scan(session, Tls(session, place)).weak(session.spec.tls.weak_ciphers)
        assert {"NULL", "anonymous"} <= set(weak)


def test_a_scan_ends_at_its_deadline(session: Session) -> None:
    pytest.importorskip("sslyze")
    _give_time(session, 0.05)
    with serving(issued(AUTHORITY)) as place, pytest.raises(NotConfigured, match="did not end within"):
        tls_scan.scan(session, Tls(session, place))


def _give_time(session: Session, seconds: float) -> None:
    """Let a scan take so long: a machine that is busy with other tests starts processes slowly."""
    tls = session.spec.tls
    scanner = tls.scanner.model_copy(update={"seconds": seconds})
    session.spec = session.spec.model_copy(update={"tls_section": tls.model_copy(update={"scanner": scanner})})


def test_what_the_scan_says_is_read() -> None:
    def attempt(**result: object) -> SimpleNamespace:
        return SimpleNamespace(result=SimpleNamespace(**result))

    def suites(*names: str) -> SimpleNamespace:
        return attempt(accepted_cipher_suites=[SimpleNamespace(cipher_suite=SimpleNamespace(name=name)) for name in names])

    result = SimpleNamespace(
        ssl_2_0_cipher_suites=suites(),
        ssl_3_0_cipher_suites=SimpleNamespace(result=None),
        tls_1_2_cipher_suites=suites("TLS_RSA_WITH_RC4_128_MD5", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
        session_renegotiation=attempt(supports_secure_renegotiation=False, is_vulnerable_to_client_renegotiation_dos=True),
        tls_compression=attempt(supports_compression=True),
        certificate_info=attempt(certificate_deployments=[SimpleNamespace(ocsp_response=None)]),
    )
    found = Scan(**facts_of(result))
    assert found.stapled is False
    assert found.accepted(["SSLv2"]) == []
    assert found.loose() == ["insecure renegotiation", "renegotiation by the client", "compression"]
    with pytest.raises(NotConfigured, match="sslyze could not test SSLv3"):
        found.accepted(["SSLv2", "SSLv3"])


def test_old_families_are_recognised_by_their_standard_names(session: Session) -> None:
    names = [
        "TLS_RSA_WITH_NULL_SHA256",
        "TLS_DH_anon_WITH_AES_128_CBC_SHA",
        "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
        "TLS_RSA_WITH_RC4_128_SHA",
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_RSA_WITH_DES_CBC_SHA",
        "TLS_RSA_WITH_IDEA_CBC_SHA",
    ]
    families = session.spec.tls.weak_ciphers
    assert not RIGHT.weak(families)
    for name in names:
        found = Scan({"TLSv1.2": [name]}, True, False, False)
        assert found.weak(families), name


def test_without_the_scanner_nothing_of_it_is_judged(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_scan, "find_spec", lambda _: None)
    with serving(issued(AUTHORITY)) as place, pytest.raises(NotConfigured, match="install sslyze"):
        tls_scan.scan(session, Tls(session, place))
