"""Runs asynchronous work from synchronous code: one event loop in a thread of its own, started on first use."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

T = TypeVar("T")


class Portal:
    """Runs coroutines with a deadline; threads may use it at the same time."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    def wait_for(self, work: Coroutine[object, object, T], seconds: float) -> T:
        """The result of the work; raises TimeoutError when it takes longer than `seconds`."""
        result = self._started().call(_bounded, work, seconds)
        if isinstance(result, _Skipped):
            raise result.reason
        return result

    def _started(self) -> BlockingPortal:
        # Threads of several documents get here at once; they must share one loop.
        with self._starting:
            if self._portal is None:
                self._portal = self._stack.enter_context(start_blocking_portal("asyncio", {"use_uvloop": True}))
            return self._portal

    def close(self) -> None:
        """End the loop; the next use begins another one."""
        with self._starting:
            self._portal = None
            self._stack.close()


@dataclass(frozen=True)
class _Skipped:
    """What ended the work without being an error, such as a check that is not judged; raised in the loop it would end that."""

    reason: BaseException


async def _bounded(work: Coroutine[object, object, T], seconds: float) -> T | _Skipped:
    return await asyncio.wait_for(_caught(work), seconds)


async def _caught(work: Coroutine[object, object, T]) -> T | _Skipped:
    try:
        return await work
    except (Exception, asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as reason:
        return _Skipped(reason)
