"""Observers of a run without any target."""

from __future__ import annotations

from collections.abc import Iterable

from gate.failures import Facts, Failure
from gate.observers import Exchanged, Observer


class Words(Observer):
    """Refuses a word."""

    name = "words"

    def see(self, exchange: Exchanged) -> Iterable[Failure]:
        """One failure for an exchange that holds it."""
        self.judged()
        if "wrong" in exchange.body_text:
            yield exchange.failure("http.value", expected="another word", observed=Facts(value="wrong"))


class Blind(Observer):
    """Judges nothing."""

    name = "blind"

    def see(self, exchange: Exchanged) -> Iterable[Failure]:
        """Nothing."""
        return ()
