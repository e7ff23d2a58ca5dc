"""All faults, loaded by name so that each family stands in a module of its own."""

from __future__ import annotations

import importlib

FAMILIES = ("configuration", "database", "storage", "api", "worker", "vendors", "network", "host")


def load() -> None:
    """Register every fault."""
    for family in FAMILIES:
        importlib.import_module(f"twin.broken.{family}")
