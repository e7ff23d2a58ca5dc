"""Connections that are kept last: a host closes one now and then, but not under one call in many (RFC 9112 §9.5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gate.failures import Facts, Failure
from gate.observers.exchanged import Exchanged
from gate.observers.observer import Observer
from gate.session import Session


class Lasting(Observer):
    """Counts, for each part, the calls that met a closed connection and were sent again."""

    name = "lasting_connections"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._rule = session.spec.observing.lasting
        self._calls: Counter[str] = Counter()
        self._again: Counter[str] = Counter()
        self._last: dict[str, Exchanged] = {}

    def see(self, exchange: Exchanged) -> Iterable[Failure]:
        """Count it; nothing is wrong with one alone."""
        if self._rule is not None:
            self.judged()
            self._calls[exchange.component] += 1
            if exchange.sent_again:
                self._again[exchange.component] += 1
                self._last[exchange.component] = exchange
        return ()

    def end(self) -> Iterable[Failure]:
        """One failure for each part that did so too often."""
        for part, again in self._again.items():
            if self._rule is not None and again >= self._rule.fewest and again > self._rule.most * self._calls[part]:
                yield self._last[part].failure(
                    "http.closed",
                    subject=f"connections of {part}",
                    expected=self._rule.most,
                    observed=Facts(value=again / self._calls[part], calls=self._calls[part], sent_again=again),
                    relation="at most",
                    what="share of calls that meet a connection which was closed meanwhile",
                    hint="the idle time-out of the host or its proxy, and restarts",
                )
