"""Entries of a specification that observers' checks are made for."""

from __future__ import annotations

from collections.abc import Iterable

from spec.model import ObserverRule, Specification


def observers(spec: Specification) -> Iterable[ObserverRule]:
    """What every exchange of a run is held to."""
    return spec.observers


def compared(spec: Specification) -> Iterable[str]:
    """Names of the run's documents that are asked for by every way."""
    return spec.observing.compared


def shows_jobs(spec: Specification) -> Iterable[str]:
    """Names of the endpoints that show jobs or documents."""
    return spec.observing.shows_jobs
