"""Hands every exchange of a process to every observer, and keeps what they note."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from gate.failures import Facts, Failure
from gate.observers import notes
from gate.observers.exchanged import Exchanged
from gate.observers.observer import Observer
from gate.shared import SharedFolder


class Observers:
    """The observers of this process."""

    def __init__(self, shared: SharedFolder, mask: Callable[[str], str]) -> None:
        self._shared = shared
        self._mask = mask
        self._lock = threading.RLock()
        self._observers: tuple[Observer, ...] = ()
        self._noted: dict[str, notes.Noted] = {}
        # The observers of exchanges of one kind with one component.
        self._takers: dict[tuple[str, str], tuple[Observer, ...]] = {}
        self._is_over = False

    def use(self, observers: Sequence[Observer]) -> None:
        """Observe with these from now on."""
        with self._lock:
            self._observers = tuple(observers)
            self._takers = {}
            self._noted = {observer.name: notes.Noted() for observer in observers}

    def see(self, exchange: Exchanged) -> None:
        """Hand an exchange to the observers; raises nothing."""
        with self._lock:
            if self._is_over:
                return
            of = (exchange.kind, exchange.component)
            if of not in self._takers:
                self._takers[of] = tuple(observer for observer in self._observers if observer.takes(exchange))
            for observer in self._takers[of]:
                self._take(observer, observer.see, exchange)

    def end(self) -> None:
        """This process's part of the run is over: write what was noted. What comes later is clean-up, and not judged."""
        with self._lock:
            if self._is_over:
                return
            for observer in self._observers:
                self._take(observer, observer.end)
            self._is_over = True
            self._write()

    def _take(self, observer: Observer, look: Callable[..., Iterable[Failure]], *at: Exchanged) -> None:
        noted = self._noted[observer.name]
        is_new = False
        try:
            for failure in look(*at):
                is_new |= noted.add(failure)
        except Exception as error:
            # An exchange of a check must not end by an observer's own mistake.
            is_new |= noted.add(_broken(observer, error))
        if is_new:
            # At once: a process that is killed has said it.
            self._write()

    def _write(self) -> None:
        for observer in self._observers:
            self._noted[observer.name].seen = observer.seen
        if self._observers:
            notes.write(self._shared, self._noted, self._mask)


def _broken(observer: Observer, error: Exception) -> Failure:
    return Failure(
        "check.error",
        f"promise observer {observer.name}",
        observed=Facts(error=type(error).__name__, detail=str(error)),
        what=f"the observer {observer.name}",
        component="harness",
    )
