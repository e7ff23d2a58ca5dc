"""Libraries that a run will want are loaded while its twin starts, when this process has nothing else to do."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterable
from contextlib import suppress


def load_beside(libraries: Iterable[str]) -> None:
    """Load them in a thread of its own; returns at once. What cannot be loaded is left to whoever uses it."""

    def load() -> None:
        for library in libraries:
            with suppress(Exception):
                importlib.import_module(library)

    threading.Thread(target=load, name="preload", daemon=True).start()
