"""The folder that stands first in the path of the twin's processes, with the `sitecustomize` of the drills."""

from __future__ import annotations

import os
from pathlib import Path

import twin.clock
from twin.control import loopback

TEXT = '"""Where this process finds the others, and its clock."""\n\nimport twin_loopback\n\ntwin_loopback.begin(__file__)\n'


def make(folder: Path) -> Path:
    """Write it below the twin's folder."""
    site = folder / "drills"
    site.mkdir()
    for module, name in ((loopback, "twin_loopback"), (twin.clock, "twin_clock")):
        (site / f"{name}.py").write_text(Path(module.__file__ or "").read_text())
    (site / "sitecustomize.py").write_text(TEXT)
    return site


def environment(site: Path, path: str, address: str, clock: float = 0.0) -> dict[str, str]:
    """Variables of a process whose own path is `path`."""
    found = {"PYTHONPATH": os.pathsep.join((str(site), path)), loopback.ADDRESS: address}
    return found | ({loopback.CLOCK: f"{clock:g}"} if clock else {})
