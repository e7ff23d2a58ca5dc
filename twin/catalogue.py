"""All faults, loaded by name so that each family stands in a module of its own."""

from __future__ import annotations


def load() -> None:
    """Register every fault."""
