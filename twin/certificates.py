"""The twin's own certificate authority, and the certificates that its parts and its API present."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import trustme

VALID = timedelta(days=30)
YOUNG = timedelta(days=1)
NAMES = ("localhost", "127.0.0.1")
Issue = Callable[[trustme.CA], trustme.LeafCert]
NONE: Mapping[str, Issue] = MappingProxyType({})


def of(part: str, file: str) -> str:
    """The path of a part's own certificate or key, derived from the one that the other parts use."""
    path = Path(file)
    return str(path.with_stem(f"{path.stem}-{part}"))


def of_api(file: str) -> str:
    """The path of the API's certificate or key."""
    return of("api", file)


def issued(authority: trustme.CA, *names: str, life: timedelta = VALID, **options: Any) -> trustme.LeafCert:
    """A certificate that was issued yesterday, for the parts or for these names."""
    now = datetime.now(UTC)
    return authority.issue_cert(*(names or NAMES), not_before=now - YOUNG, not_after=now + life, **options)


def write(ca_file: str, cert_file: str, key_file: str, api: Issue | None = None, others: Mapping[str, Issue] = NONE) -> None:
    """Write the authority, a valid certificate for the parts, one for the API, and those of `others` by part."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    _write(issued(authority), cert_file, key_file)
    for part, issue in {"api": api or issued, **others}.items():
        _write(issue(authority), of(part, cert_file), of(part, key_file))


def _write(certificate: trustme.LeafCert, cert_file: str, key_file: str) -> None:
    Path(cert_file).write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(certificate.private_key_pem.bytes())
