"""Folders of checks that a run cannot choose are not loaded: half of the checks belong to other suites."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gate.options import is_gate
from gate.places import ACCEPTANCE

# The suites that the checks of a folder belong to; a folder that is not named is always loaded.
SUITES = {
    "contract": {"contract"},
    "maintenance": {"maintenance"},
    "performance": {"performance"},
    "postdeploy": {"postdeploy", "maintenance"},
    "resilience": {"resilience"},
    "security": {"postdeploy", "maintenance"},
}
ALL = frozenset({"predeploy"}.union(*SUITES.values()))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pass over the folder of suites that `-m` does not name."""
    if collection_path.parent != ACCEPTANCE or not is_gate(config):
        return None
    own = SUITES.get(collection_path.name)
    return True if own is not None and leaves_out(str(config.option.markexpr), own) else None


def leaves_out(expression: str, suites: set[str]) -> bool:
    """Whether an expression of `-m` chooses no check that belongs to these suites alone.

    Only what suites joined by `and` and `or` say is understood; any other expression may choose every check.
    """
    words = set(re.findall(r"[^\s()]+", expression)) - {"and", "or"}
    return bool(words) and words <= ALL and not words & suites
