"""Numbers in JSON are finite: NaN and Infinity are no JSON (RFC 8259), and make a browser refuse the whole body."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from gate.failures import Facts, Failure
from gate.observers.exchanged import Exchanged
from gate.observers.observer import Observer
from gate.session import Session

WORDS = ("NaN", "Infinity")


class Finite(Observer):
    """No body holds a number that is none."""

    name = "finite_numbers"
    components = frozenset({"api"})

    def __init__(self, _: Session) -> None:
        super().__init__()

    def see(self, exchange: Exchanged) -> Iterable[Failure]:
        """One failure for a body that does."""
        if exchange.data is None:
            return
        self.judged()
        if any(word in exchange.body_text for word in WORDS) and (field := _field_of(exchange.data, "")):
            yield exchange.failure(
                "http.value",
                expected="a finite number",
                observed=Facts(value="none that JSON has"),
                what=f"{field} of {exchange}",
                subject=f"field {field} of {exchange.subject.partition(' ')[2]}",
            )


def _field_of(data: Any, at: str) -> str:
    """Path of the first such number; positions in lists are left out."""
    if isinstance(data, float):
        return "" if math.isfinite(data) else at or "body"
    pairs = data.items() if isinstance(data, dict) else ((None, value) for value in data) if isinstance(data, list) else ()
    found = (_field_of(value, f"{at}.{name}" if at and name else name or at) for name, value in pairs)
    return next((path for path in found if path), "")
