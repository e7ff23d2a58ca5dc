"""The twin's own certificate authority, and the certificates that its parts and its API present."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

VALID = timedelta(days=30)
NAMES = ("localhost", "127.0.0.1")


def of_api(file: str) -> str:
    """The path of the API's certificate or key, derived from the one that the other parts use."""
    path = Path(file)
    return str(path.with_stem(f"{path.stem}-api"))


def write(ca_file: str, cert_file: str, key_file: str, api: Callable[[trustme.CA], trustme.LeafCert] | None = None) -> None:
    """Write the authority, a valid certificate for the parts, and one for the API: from `api`, or valid as well."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    _write(authority.issue_cert(*NAMES), cert_file, key_file)
    certificate = api(authority) if api else authority.issue_cert(*NAMES, not_after=datetime.now(UTC) + VALID)
    _write(certificate, of_api(cert_file), of_api(key_file))


def _write(certificate: trustme.LeafCert, cert_file: str, key_file: str) -> None:
    Path(cert_file).write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(certificate.private_key_pem.bytes())
