"""Rows of the access matrix that checks are made for (spec/entries.py)."""

from __future__ import annotations

from collections.abc import Iterator

from spec.model import Specification
from spec.model.access import Kind

AT_THE_API: tuple[Kind, ...] = ("open", "read", "act", "resource", "folder")
# Whose claims are wrong under a right signature: judged where such tokens can be made.
SIGNED = ("expired", "claims")


def _names(spec: Specification, *kinds: Kind) -> Iterator[str]:
    return (what.name for what in spec.access.of_kind(*kinds))


def _with_cells(spec: Specification, *kinds: Kind, signed: bool, thorough: bool) -> Iterator[str]:
    """Rows that have such cells."""
    for name in _names(spec, *kinds):
        cells = spec.access.cells(name)
        if any((cell.who.standing in SIGNED) == signed and cell.thorough == thorough for cell in cells):
            yield name


def at_the_api(spec: Specification) -> Iterator[str]:
    """Endpoints."""
    return _with_cells(spec, *AT_THE_API, signed=False, thorough=False)


def of_people(spec: Specification) -> Iterator[str]:
    """Endpoints that people of the project are tried on."""
    return _names(spec, "read", "resource", "folder")


def with_a_token(spec: Specification) -> Iterator[str]:
    """Endpoints that need a token."""
    return _with_cells(spec, *AT_THE_API, signed=True, thorough=False)


def thorough_at_the_api(spec: Specification) -> Iterator[str]:
    """Endpoints that further tokens are tried on."""
    return _with_cells(spec, *AT_THE_API, signed=False, thorough=True)


def thorough_signed(spec: Specification) -> Iterator[str]:
    """Whatever further claims are tried on."""
    return _with_cells(spec, *AT_THE_API, "object", "rows", "topic", signed=True, thorough=True)


def used(spec: Specification) -> Iterator[str]:
    """Endpoints that show users what is their own, or do something for them."""
    return (
        what.asked
        for what in spec.access.of_kind("read", "act", "resource", "folder")
        if what.kind != "resource" or what.writes
    )


def shown(spec: Specification) -> Iterator[str]:
    """Endpoints that show users what is their own, and each job and document of theirs, or do something for them."""
    return (what.asked for what in spec.access.of_kind("read", "resource", "act", "folder"))


def callbacks(spec: Specification) -> Iterator[str]:
    """Endpoints for callbacks."""
    return _names(spec, "webhook")


def objects(spec: Specification) -> Iterator[str]:
    """Operations on files."""
    return _with_cells(spec, "object", signed=False, thorough=False)


def thorough_objects(spec: Specification) -> Iterator[str]:
    """Operations on files that further cells are tried on."""
    return _with_cells(spec, "object", signed=False, thorough=True)


def rows(spec: Specification) -> Iterator[str]:
    """Tables through the REST view."""
    return _names(spec, "rows")


def operators(spec: Specification) -> Iterator[str]:
    """Requests of operators."""
    return _names(spec, "admin")


def sessions(spec: Specification) -> Iterator[str]:
    """What a session is for."""
    return _names(spec, "session")


def topics(spec: Specification) -> Iterator[str]:
    """Realtime topics."""
    return _names(spec, "topic")


def links(spec: Specification) -> Iterator[str]:
    """Signed links."""
    return _names(spec, "link", "upload_link")
