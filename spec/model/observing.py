"""Observers: what every exchange of a run is held to, whoever asked for it."""

from __future__ import annotations

from spec.model.base import Promised


class ObserverRule(Promised):
    """One observer, by the name of its class's entry in fixtures/observers; its check has this section and promise."""

    name: str
