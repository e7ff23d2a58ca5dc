"""Runs asynchronous work from synchronous code: one event loop in a thread of its own, started on first use."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TypeVar

import uvloop

T = TypeVar("T")


class Portal:
    """Runs coroutines with a deadline; threads may use it at the same time."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._loop: _Loop | None = None

    def wait_for(self, work: Coroutine[object, object, T], seconds: float) -> T:
        """The result of the work; raises TimeoutError when it takes longer than `seconds`."""
        running = asyncio.run_coroutine_threadsafe(_bounded(work, seconds), self._started())
        try:
            result = running.result()
        except BaseException:
            # An interrupted caller wants no more of it; on work that has ended this does nothing.
            running.cancel()
            raise
        if isinstance(result, _Skipped):
            raise result.reason
        return result

    def _started(self) -> asyncio.AbstractEventLoop:
        # Threads of several documents get here at once; they must share one loop.
        with self._starting:
            if self._loop is None:
                self._loop = _Loop()
            return self._loop.loop

    def close(self) -> None:
        """End the loop, and what still runs in it; the next use begins another one."""
        with self._starting:
            ended, self._loop = self._loop, None
        if ended is not None:
            ended.end()


class _Loop:
    """An event loop that runs in a thread until it is ended."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self.loop = self._runner.get_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        # The runner cancels what is left when the loop ends.
        with self._runner:
            self._runner.run(self._until_ended())

    async def _until_ended(self) -> None:
        await self._over.wait()

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


@dataclass(frozen=True)
class _Skipped:
    """What ended the work without being an error, such as a check that is not judged; raised in the loop it would end that."""

    reason: BaseException


async def _bounded(work: Coroutine[object, object, T], seconds: float) -> T | _Skipped:
    async with asyncio.timeout(seconds):
        return await _caught(work)


async def _caught(work: Coroutine[object, object, T]) -> T | _Skipped:
    try:
        return await work
    except (Exception, asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as reason:
        return _Skipped(reason)
