"""What checks saw without finding it wrong, such as a version or a plan: name and value, compared from run to run (§9).

`session.observe("plan of the api", "starter")` from any check or fixture. A name is the same in every run and names one
thing; a value is of the target, not of the run. Of one name that is noted again, the last value counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from gate.failures import Value, as_value
from gate.shared import SharedFolder

PREFIX = "observed-"


def note(shared: SharedFolder, name: str, value: object) -> None:
    """Add one observation to this process's file."""
    shared.append(f"{PREFIX}{os.getpid()}.jsonl", json.dumps([name, as_value(value)], ensure_ascii=False))


def read(shared: SharedFolder) -> Mapping[str, Value]:
    """All observations of the run, by name in order."""
    found: dict[str, Value] = {}
    for path in sorted(shared.path.glob(f"{PREFIX}*.jsonl")):
        for line in path.read_text().splitlines():
            name, value = json.loads(line)
            found[name] = value
    return dict(sorted(found.items()))
