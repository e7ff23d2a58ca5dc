"""Starts the worker: `python backend/workers/enhanced_runner.py`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

# Python puts the folder of this file on its path, where the packages are two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backend.workers import journal
from backend.workers.enhanced_base_worker import EnhancedBaseWorker
from backend.workers.settings import Settings, Unusable


def main() -> int:
    """Work until terminated; a setting that is missing or malformed ends the process at once."""
    journal.open_at(os.environ.get("WORKER_LOG_LEVEL") or os.environ.get("LOG_LEVEL") or "INFO")
    try:
        settings = Settings.of(os.environ)
    except Unusable as problem:
        journal.note("critical", "cannot start", reason=str(problem))
        return 1
    asyncio.run(EnhancedBaseWorker(settings).run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
