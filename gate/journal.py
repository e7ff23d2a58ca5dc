"""Everything a run creates is written to a journal before it exists, so that it can be removed after a crash."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from gate.shared import SharedFolder

Entry = dict[str, str]


class Journal:
    """The journal of one process; `read_all` gathers those of the whole run.

    `require_means` raises NotConfigured when a thing of a kind could not be removed again.
    """

    def __init__(self, shared: SharedFolder, require_means: Callable[[str], None]) -> None:
        self._shared = shared
        self.require_means = require_means

    def record(self, kind: str, **what: str) -> None:
        """Note one thing that is about to be, or has been, created; raises NotConfigured."""
        self.require_means(kind)
        self._shared.append(f"journal-{os.getpid()}.jsonl", json.dumps({"kind": kind, **what}))


def read_all(folder: Path) -> list[Entry]:
    """All entries of a run's journals; a line cut off by a crash is passed over."""
    entries = []
    for path in sorted(folder.glob("journal-*.jsonl")):
        for line in path.read_text().splitlines():
            try:
                entries.append(json.loads(line))
            except ValueError:
                continue
    return entries
