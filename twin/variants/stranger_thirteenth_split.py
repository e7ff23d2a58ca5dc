"""Variants by a stranger, the thirteenth round: a worker of several processes that splits texts in its own way."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_thirteenth import WORKER, cut

RUNNER = '''"""Entry point of the worker: `python backend/workers/enhanced_runner.py`, a parent of several workers."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

WORKERS = 2
ALONE = "--alone"
SET_PARENT_DEATH_SIGNAL = 1


def _end_with_parent() -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _stopping() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def work() -> None:
    """Run one worker until SIGTERM or SIGINT."""
    from backend.shared.config import load
    from backend.shared.logs import set_up
    from backend.workers.enhanced_base_worker import EnhancedBaseWorker

    set_up("worker", os.environ.get("WORKER_LOG_LEVEL", "INFO"))
    stop = _stopping()
    await EnhancedBaseWorker(load()).run(stop)


async def _one(stop: asyncio.Event) -> int:
    """The exit status of one worker; the end of one is the end of all, and the host begins again."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).resolve()), ALONE, preexec_fn=_end_with_parent
    )
    ended, stopped = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
    await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    if not ended.done():
        with suppress(ProcessLookupError):
            process.terminate()
    return abs(await ended)


async def main() -> int:
    """Run the workers until SIGTERM or SIGINT, or until one of them ends."""
    stop = _stopping()
    return max(await asyncio.gather(*(_one(stop) for _ in range(WORKERS))))


if __name__ == "__main__":
    if ALONE in sys.argv:
        asyncio.run(work())
    else:
        sys.exit(asyncio.run(main()))
'''
CHUNKING = '''"""markdown-simple@1: sentences joined into passages, each below the heading that it stands under."""

from __future__ import annotations

import re
from collections.abc import Iterator

CHUNKER_NAME = "markdown-simple"
CHUNKER_VERSION = "1"
TARGET_CHARACTERS = 480
CARRIED_CHARACTERS = 100
SENTENCE = re.compile(r"(?<=[.!?])\\s+")


def _cut(sentence: str) -> Iterator[str]:
    current = ""
    for word in sentence.split():
        if current and len(current) + 1 + len(word) > TARGET_CHARACTERS:
            yield current
            current = ""
        current = f"{current} {word}".strip()
    if current:
        yield current


def _pieces(text: str) -> Iterator[str]:
    for line in text.splitlines():
        for sentence in SENTENCE.split(line):
            yield from _cut(sentence)


def split(text: str) -> list[str]:
    """Chunks in reading order; every word of the text is in at least one of them."""
    chunks: list[str] = []
    current: list[str] = []
    heading, is_begun = "", False
    for piece in _pieces(text):
        is_heading = piece.startswith("#")
        is_full = sum(map(len, current)) + len(current) + len(piece) > TARGET_CHARACTERS
        if is_begun and (is_heading or is_full):
            chunks.append("\\n".join(current))
            carried = [] if is_heading else [heading, current[-1] if current[-1] != heading else ""]
            current, is_begun = [one for one in carried if 0 < len(one) <= CARRIED_CHARACTERS], False
        if is_heading:
            heading = piece
        current.append(piece)
        is_begun = is_begun or not is_heading
    if current:
        chunks.append("\\n".join(current))
    return chunks
'''
LINE = """class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": at, "level": record.levelname.lower(), "logger": record.name, "msg": record.getMessage()}
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up"""


@variant("M76", "two worker processes below one parent; chunks carry their headings and have random ids; logs are JSON lines")
def several_processes(plan: Plan) -> None:
    (plan.source / "backend/workers/enhanced_runner.py").write_text(RUNNER)
    (plan.source / "backend/workers/chunking.py").write_text(CHUNKING)
    start = "                uuid5(NAMESPACE, f\"{job['document_id']}:"
    cut(plan, WORKER, start, '{number}"),\n', "                uuid4(),\n")
    plan.replace_in_source(WORKER, "from uuid import UUID, uuid5\n", "from uuid import uuid4\n")
    plan.replace_in_source(WORKER, 'NAMESPACE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")\n', "")
    logs = "backend/shared/logs.py"
    cut(plan, logs, "class _Line(logging.Formatter):", "def set_up", LINE)
    plan.replace_in_source(logs, "import logging\nimport time\n", "import json\nimport logging\n")
    plan.replace_in_source(logs, "import ContextVar\n", "import ContextVar\nfrom datetime import UTC, datetime\n")
    plan.replace_in_source(logs, '_Line("%(asctime)s %(levelname)s %(name)s %(message)s")', "_Line()")
