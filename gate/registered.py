"""The kind of system that this checkout judges, for commands that run without pytest.

conftest.py registers the plugins of a run; one of them offers the system by the hook `pytest_gate_system`. They are asked here
in the same order, so that the engine still knows no system by itself.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

from gate.places import ROOT
from gate.session import System
from gate.settings import ConfigurationError

HOOK = "pytest_gate_system"


def registered_system(checkout: Path = ROOT) -> System:
    """The first system that a registered plugin offers; raises ConfigurationError where none does."""
    described = importlib.util.spec_from_file_location("checkout_conftest", checkout / "conftest.py")
    if described is None or described.loader is None:
        raise ConfigurationError(f"{checkout}: there is no conftest.py that registers a system")
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    for name in module.pytest_plugins:
        offer: Callable[[], System | None] | None = getattr(importlib.import_module(name), HOOK, None)
        if offer is not None and (found := offer()) is not None:
            return found
    raise ConfigurationError(f"conftest.py registers no plugin that offers a system ({HOOK})")
