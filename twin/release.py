"""The part of a plan that all systems share: the release under test, and what may be changed before it starts."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme


def copy_source(original: Path, folder: Path) -> Path:
    """A copy of the source tree that may be changed; returns its folder."""
    source = folder / "source"
    shutil.copytree(original, source, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    return source


def replace_in(tree: Path, path: str, old: str, new: str) -> None:
    """Change a file of a source tree; raises ValueError when it does not contain the text."""
    file = tree / path
    text = file.read_text()
    if old not in text:
        raise ValueError(f"{path} does not contain {old!r}")
    file.write_text(text.replace(old, new))


@dataclass(kw_only=True)
class Release(ABC):
    """A release that will be started. `sql` runs as the database's owner after the migrations.

    `extra_env` is set for the process of a service and declared nowhere; `behaviour` configures the doubles.
    `own_changes` are this release's instead of what a fault of that id changes in the ordinary one.
    """

    source: Path
    database_password: str
    sql: list[str] = field(default_factory=list)
    certificate: Callable[[trustme.CA], trustme.LeafCert] | None = None
    api_arguments: list[str] = field(default_factory=list)
    may_die: bool = False
    extra_env: dict[str, dict[str, str]] = field(default_factory=dict)
    own_changes: dict[str, Callable[[Any], None]] = field(default_factory=dict)

    @property
    @abstractmethod
    def behaviour(self) -> dict[str, Any]:
        """Settings that make doubles misbehave, by the double's name."""

    @abstractmethod
    def set_variable(self, service: str, name: str, value: str) -> None:
        """Set a variable of one service; raises ValueError when there is no such service."""

    def replace_in_source(self, path: str, old: str, new: str) -> None:
        """Change the release under test; raises ValueError when the file does not contain the text."""
        replace_in(self.source, path, old, new)
