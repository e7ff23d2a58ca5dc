"""Faults of TLS, of plain http, of headers and of the database's connections, as the security review must find them."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from twin.certificates import NAMES, issued
from twin.faults import fault
from twin.plan import Plan

YEARS = timedelta(days=30 * 365)
SHORT = 1024
# The object identifiers of both signatures, which differ in one byte.
SHA256_WITH_RSA, SHA1_WITH_RSA = (bytes.fromhex(f"06092a864886f70d0101{last}") for last in ("0b", "05"))
EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


def _short(authority: trustme.CA) -> trustme.LeafCert:
    """A certificate with a key that trustme would not make."""
    now, key = datetime.now(UTC), rsa.generate_private_key(65537, SHORT)
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    template = x509.load_pem_x509_certificate(authority.issue_cert(*NAMES).cert_chain_pems[0].bytes())
    builder = x509.CertificateBuilder().subject_name(template.subject).issuer_name(issuer.subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    names = template.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    signer = load_pem_private_key(authority.private_key_pem.bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    certificate = builder.add_extension(names.value, critical=False).sign(signer, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return trustme.LeafCert(pem, certificate.public_bytes(Encoding.PEM), [])


def _sha1(authority: trustme.CA) -> trustme.LeafCert:
    """A certificate under a SHA-1 signature, which no library makes any more: one with SHA-256, changed and signed again."""
    middle = authority.create_child_ca(key_type=trustme.KeyType.RSA)
    made = issued(middle)
    found = x509.load_pem_x509_certificate(made.cert_chain_pems[0].bytes())
    body = found.tbs_certificate_bytes.replace(SHA256_WITH_RSA, SHA1_WITH_RSA)
    signer = load_pem_private_key(middle.private_key_pem.bytes(), None)
    assert isinstance(signer, rsa.RSAPrivateKey)
    signature = signer.sign(body, padding.PKCS1v15(), hashes.SHA1())
    der = found.public_bytes(Encoding.DER).replace(found.tbs_certificate_bytes, body)
    der = der.replace(SHA256_WITH_RSA, SHA1_WITH_RSA).replace(found.signature, signature)
    chain = [blob.bytes() for blob in made.cert_chain_pems[1:]]
    return trustme.LeafCert(made.private_key_pem.bytes(), ssl.DER_cert_to_PEM_cert(der).encode(), chain)


def _without_chain(certificate: trustme.LeafCert) -> trustme.LeafCert:
    return trustme.LeafCert(certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes(), [])


@fault("LF01", "the API sends its certificate without the intermediate one", "network", "maintenance", "postdeploy", mode="F32",
       about="certificate")  # fmt: skip
def no_intermediate(plan: Plan) -> None:
    plan.certificate = lambda ca: _without_chain(issued(ca.create_child_ca()))


@fault("LF02", "the API's certificate is valid for thirty years", "network", "maintenance", mode="-", about="certificate")
def valid_for_years(plan: Plan) -> None:
    plan.certificate = lambda ca: issued(ca, life=YEARS)


@fault("LF03", "the key of the API's certificate has 1024 bits", "network", "maintenance", mode="F32", about="certificate")
def short_key(plan: Plan) -> None:
    plan.certificate = _short
    plan.listen("api", ciphers="DEFAULT:@SECLEVEL=0")


@fault("LF04", "the API's certificate is signed with SHA-1", "network", "maintenance", mode="-|F32", about="certificate")
def old_signature(plan: Plan) -> None:
    plan.certificate = _sha1
    plan.listen("api", ciphers="DEFAULT:@SECLEVEL=0")


@fault("LF05", "the API accepts TLS 1.0 and 1.1", "network", "maintenance", "postdeploy", mode="F32", about="TLS")
def old_protocols(plan: Plan) -> None:
    plan.listen("api", tls="1.0", ciphers="DEFAULT:@SECLEVEL=0")


@fault("LF06", "the API accepts ciphers without encryption and without authentication", "network", "maintenance", mode="-",
       about="ciphers")  # fmt: skip
def weak_ciphers(plan: Plan) -> None:
    plan.listen("api", ciphers=EVERYTHING)


@fault("LF07", "the API prefers ciphers without forward secrecy", "network", "maintenance", mode="-", about="ciphers")
def no_forward_secrecy(plan: Plan) -> None:
    plan.certificate = lambda ca: issued(ca, key_type=trustme.KeyType.RSA)
    plan.listen("api", newest="1.2", ciphers="kRSA+AESGCM:ECDHE+AESGCM")


@fault("LF08", "the API lets clients renegotiate as often as they like", "network", "maintenance", mode="-", about="protocol")
def renegotiation(plan: Plan) -> None:
    plan.listen("api", renegotiates=True)


@fault("LF09", "plain http of the API is served", "network", "maintenance", mode="-", about="host ")
def plain_http(plan: Plan) -> None:
    plan.answer_plainly(kind="serve")


@fault("LF10", "plain http of the API is redirected in a circle", "network", "maintenance", mode="-", about="host ")
def circle(plan: Plan) -> None:
    plan.answer_plainly(kind="circle")


@fault("LF11", "plain http of the API is redirected to another host", "network", "maintenance", mode="-", about="host ")
def parked(plan: Plan) -> None:
    plan.answer_plainly(kind="foreign")


@fault("LF12", "the edge of the API switches HSTS off", "network", "maintenance", mode="-", about="Strict-Transport-Security")
def hsts_off(plan: Plan) -> None:
    plan.place_before("api", headers={"strict-transport-security": "max-age=0"})


@fault("LF14", "a protecting header has a value that browsers ignore", "network", "maintenance", mode="-",
       about="X-Content-Type-Options")  # fmt: skip
def ignored_header(plan: Plan) -> None:
    plan.place_before("api", headers={"x-content-type-options": "on"})


@fault("LF15", "Supabase's certificate is valid for thirty years", "supabase", "maintenance", mode="-", about="certificate")
def supabase_for_years(plan: Plan) -> None:
    plan.certificates["supabase"] = lambda ca: issued(ca, life=YEARS)


@fault("LF16", "the database's certificate is expired", "database", "maintenance", mode="-", about="certificate")
def database_expired(plan: Plan) -> None:
    now = datetime.now(UTC)
    plan.offer_database_tls(demands=True)
    plan.certificates["postgres"] = lambda ca: ca.issue_cert(
        *NAMES, not_before=now - timedelta(days=90), not_after=now - timedelta(days=1)
    )


@fault("LF17", "the database's certificate is for another host", "database", "maintenance", mode="-", about="certificate")
def database_of_another_host(plan: Plan) -> None:
    plan.offer_database_tls(demands=True)
    plan.certificates["postgres"] = lambda ca: issued(ca, "elsewhere.example")


@fault(
    "LF18", "the database's certificate is of an unknown authority", "database", "maintenance", mode="-", about="certificate"
)
def database_of_unknown_authority(plan: Plan) -> None:
    plan.offer_database_tls(demands=True)
    plan.certificates["postgres"] = lambda _: issued(trustme.CA())


@fault("LF19", "the database accepts TLS 1.0", "database", "maintenance", mode="-", about="TLS")
def database_with_old_tls(plan: Plan) -> None:
    plan.offer_database_tls(demands=True, oldest="1.0", ciphers="DEFAULT:@SECLEVEL=0")


@fault("LF21", "the database offers no TLS", "database", "maintenance", mode="-", about="database")
def database_offers_none(plan: Plan) -> None:
    plan.config.operator_env["HARNESS_DATABASE_CA_FILE"] = plan.config.ca_file


@fault("LF22", "the database's certificate has a key of 1024 bits", "database", "maintenance", mode="-", about="certificate")
def database_with_short_key(plan: Plan) -> None:
    plan.offer_database_tls(demands=True, ciphers="DEFAULT:@SECLEVEL=0")
    plan.certificates["postgres"] = _short


@fault("LF23", "the database accepts ciphers without encryption", "database", "maintenance", mode="-", about="ciphers")
def database_with_weak_ciphers(plan: Plan) -> None:
    plan.offer_database_tls(demands=True, ciphers=EVERYTHING)
