"""Entry point of the worker: `python backend/workers/enhanced_runner.py`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backend.shared.config import load
from backend.shared.logs import set_up
from backend.workers.enhanced_base_worker import EnhancedBaseWorker


async def main() -> None:
    """Run one worker until SIGTERM or SIGINT."""
    set_up("worker", os.environ.get("WORKER_LOG_LEVEL", "INFO"))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await EnhancedBaseWorker(load()).run(stop)


if __name__ == "__main__":
    asyncio.run(main())
