"""The base class of observers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from gate.failures import Failure
from gate.observers.exchanged import Exchanged, Kind

HTTP: frozenset[Kind] = frozenset({"http"})


class Observer(ABC):
    """One promise that each exchange keeps.

    `name` is that of its entry in the specification's `[[observers]]`. `kinds` and `components` (empty: all) are the exchanges
    that it is handed. `seen` is how many of them it could judge.
    """

    name: ClassVar[str]
    kinds: ClassVar[frozenset[Kind]] = HTTP
    components: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self.seen = 0

    def judged(self) -> None:
        """Count an exchange that could have shown the fault."""
        self.seen += 1

    def takes(self, exchange: Exchanged) -> bool:
        """Whether it is handed this exchange."""
        return exchange.kind in self.kinds and (not self.components or exchange.component in self.components)

    @abstractmethod
    def see(self, exchange: Exchanged) -> Iterable[Failure]:
        """What is wrong with an exchange."""

    def end(self) -> Iterable[Failure]:
        """What is wrong with all exchanges of this process together; called once, when its part of the run is over."""
        return ()
