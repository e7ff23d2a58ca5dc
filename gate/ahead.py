"""Work that several checks share, done beside the checks that come before them.

One thread does the pieces in their order; a check that wants one which has not begun does it itself. Only the time changes:
what a piece returns or raises reaches the checks that want it, as if they had done it.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")
JOIN_SECONDS = 15.0


class Piece:
    """A piece of work, done once by whoever claims it first."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._claiming = threading.Lock()
        self._future: Future[Any] = Future()

    def do(self) -> None:
        """Do the work in this thread, unless another one has begun it."""
        if not self._claiming.acquire(blocking=False):
            return
        try:
            self._future.set_result(self._work())
        # Whoever wants the result receives also what pytest raises for a check that is skipped.
        except BaseException as error:
            self._future.set_exception(error)

    def result(self) -> Any:
        """What came of it; raises what the work raised."""
        self.do()
        return self._future.result()


class ReadyMade(Generic[T]):
    """Results of the same work, a few of which are always ready; whoever comes when there is none does the work itself."""

    def __init__(self, work: Callable[[], T], wanted: int, most: int) -> None:
        self._work, self._wanted = work, wanted
        self._made: queue.SimpleQueue[T] = queue.SimpleQueue()
        self._places = threading.Semaphore(most)
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="ready-made", daemon=True)
        self._thread.start()

    def take(self) -> T:
        """One that no other check has; raises what the work raises."""
        __tracebackhide__ = True
        try:
            made = self._made.get_nowait()
        except queue.Empty:
            return self._work()
        self._places.release()
        return made

    def finish(self) -> None:
        """Make no more, and wait for the one under way."""
        self._is_over = True
        self._places.release()
        self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        for _ in range(self._wanted):
            self._places.acquire()
            if self._is_over:
                return
            try:
                self._made.put(self._work())
            # A check that wants one does the work itself, and meets the reason there.
            except BaseException:
                return


class Ahead:
    """The pieces of one process of the run."""

    def __init__(self) -> None:
        self._pieces: dict[str, Piece] = {}
        self._waiting: deque[Piece] = deque()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ready: list[ReadyMade[Any]] = []

    def add(self, name: str, work: Callable[[], Any]) -> None:
        """A piece that may be done ahead, after those that were added before it."""
        self._pieces[name] = piece = Piece(work)
        self._waiting.append(piece)

    def take(self, name: str, work: Callable[[], T]) -> T:
        """The result of a piece that was added, or of the work, done now; raises what the work raises.

        A piece is taken once: a check that is run again sees the system as it is then.
        """
        __tracebackhide__ = True
        piece = self._pieces.pop(name, None) or Piece(work)
        return cast("T", piece.result())

    def start(self) -> None:
        """Begin with the first piece, in a thread of its own; returns at once."""
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)
        self._thread.start()

    def settle(self) -> None:
        """Return when no piece is left to do: what follows is measured in quiet."""
        if self._thread is not None:
            self._thread.join()

    def keep_ready(self, work: Callable[[], T], wanted: int, most: int) -> ReadyMade[T]:
        """Results of some work, `wanted` in all and `most` of them before they are taken, made in a thread of their own."""
        made = ReadyMade(work, wanted, most)
        self._ready.append(made)
        return made

    def finish(self) -> None:
        """Begin no further piece, and wait for those under way: nothing is created any more when this returns."""
        self._stop.set()
        for made in self._ready:
            made.finish()
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        while self._waiting and not self._stop.is_set():
            self._waiting.popleft().do()
