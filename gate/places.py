"""Where things are in this checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Folders of runs under way, and of those that were killed.
STATE = ROOT / ".state"
OUT = ROOT / "reports" / "out"
HISTORY = ROOT / "reports" / "history"
ACCEPTANCE = ROOT / "acceptance"
TESTS = ROOT / "tests"
DEFAULT_ENV_FILE = ".env.staging"
