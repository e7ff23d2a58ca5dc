"""Entries of [tls] and [headers] that checks are made for, one check each: `@each("host", transport_entries.hosts)`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from spec.model import HeaderRule, Specification, TlsHost


def hosts(spec: Specification) -> Iterable[TlsHost]:
    """Hosts that are asked over https."""
    return spec.tls.hosts


def redirecting_hosts(spec: Specification) -> Iterator[TlsHost]:
    """Hosts that send everybody from plain http to https."""
    return (host for host in spec.tls.hosts if host.redirects)


def header_rules(spec: Specification) -> Iterator[tuple[TlsHost, HeaderRule]]:
    """Each header that has a rule, at each host."""
    return itertools.product(spec.tls.hosts, spec.headers.rules)
