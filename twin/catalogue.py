"""All faults and variants, imported by name; each family has a module of its own."""

from __future__ import annotations

import importlib

from twin import faults, variants


def load() -> None:
    """Register every fault and variant; raises CatalogueError naming the first one that is malformed."""
    for package in (faults, variants):
        for family in package.FAMILIES:
            importlib.import_module(f"{package.__name__}.{family}")
