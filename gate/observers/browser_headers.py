"""Headers that tell a browser how to treat an answer have values that it understands (§6 Network Security)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gate.failures import Facts, Failure
from gate.observers.exchanged import Exchanged
from gate.observers.observer import Observer
from gate.session import Session

HSTS = "Strict-Transport-Security"
MAX_AGE = re.compile(r'(?i)(?:^|;)\s*max-age\s*=\s*"?(\d+)"?\s*(?:;|$)')


class BrowserHeaders(Observer):
    """Wherever such a header is sent, by whichever answer, it protects; one with another value takes back what others say.

    Which of them must be there is judged at the host's own page (acceptance/maintenance/test_headers.py).
    """

    name = "browser_headers"
    components = frozenset({"api"})

    def __init__(self, session: Session) -> None:
        super().__init__()
        rule = session.spec.headers
        self._shortest = rule.hsts.shortest_seconds
        self._patterns = {each.name: re.compile(each.pattern) for each in rule.rules}

    def see(self, exchange: Exchanged) -> Iterable[Failure]:
        """One failure for each header whose value does not protect."""
        sent = [(name, exchange.headers.get(name)) for name in (HSTS, *self._patterns)]
        self.judged()
        for name, value in sent:
            if value is not None and not self._protects(name, value):
                yield exchange.failure(
                    "header.security",
                    expected=f"at least {self._shortest} s" if name == HSTS else self._patterns[name].pattern,
                    observed=Facts(value=value),
                    what=f"header {name} of {exchange}",
                    subject=f"header {name}",
                )

    def _protects(self, name: str, value: str) -> bool:
        if name != HSTS:
            return self._patterns[name].fullmatch(value.strip()) is not None
        found = MAX_AGE.search(value)
        return found is not None and int(found.group(1)) >= self._shortest
