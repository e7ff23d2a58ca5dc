"""Entries of a specification that observers' checks are made for."""

from __future__ import annotations

from collections.abc import Iterable

from spec.model import ObserverRule, Specification


def observers(spec: Specification) -> Iterable[ObserverRule]:
    """What every exchange of a run is held to."""
    return spec.observers
