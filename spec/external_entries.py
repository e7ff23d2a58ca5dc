"""Entries of external APIs that checks are made for, one check each."""

from __future__ import annotations

from collections.abc import Iterator

from spec.model import Specification


def key_owners(spec: Specification) -> Iterator[tuple[str, str]]:
    """Each external API with each name of whom its key belongs to."""
    return ((vendor, owner) for vendor, rule in spec.external_apis.vendors.items() for owner in rule.owners)


def refused_calls(spec: Specification) -> Iterator[tuple[str, str, str]]:
    """Each external API with each request that a key of limited scope is refused, and the variable with that key."""
    return ((vendor, call, rule.key) for vendor, rule in spec.external_apis.vendors.items() for call in rule.refused)


def vendor_limits(spec: Specification) -> Iterator[tuple[str, str]]:
    """Each external API with each limit that its answers speak of."""
    return ((vendor, limit) for vendor, rule in spec.external_apis.vendors.items() for limit in rule.headroom)
