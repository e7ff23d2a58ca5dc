"""Cookies cannot be read by scripts, or sent in the clear or from other sites (§6 Data Security)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gate.failures import Facts, Failure
from gate.observers.exchanged import Exchanged
from gate.observers.observer import Observer
from gate.session import Session

SITES = ("strict", "lax", "none")


class Cookies(Observer):
    """A cookie that is set is Secure, HttpOnly and has a SameSite."""

    name = "cookies"
    components = frozenset({"api"})

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._readable = re.compile(session.spec.observing.readable_cookies)

    def see(self, exchange: Exchanged) -> Iterable[Failure]:
        """One failure for each cookie that lacks one of them."""
        self.judged()
        for value in exchange.headers.get_list("set-cookie"):
            name, _, held = value.partition(";")[0].partition("=")
            # One that is empty takes an earlier one back.
            missing = list(self._missing(name.strip(), value)) if held.strip().strip('"') else []
            if missing:
                yield exchange.failure(
                    "header.security",
                    expected="Secure, HttpOnly, SameSite",
                    observed=Facts(value=f"{name.strip()} without {', '.join(missing)}"),
                    what=f"a cookie that {exchange} sets",
                    subject="header Set-Cookie",
                )

    def _missing(self, name: str, value: str) -> Iterator[str]:
        pairs = (part.strip().partition("=") for part in value.split(";")[1:])
        attributes = {attribute.strip().lower(): given.strip().lower() for attribute, _, given in pairs}
        if "secure" not in attributes:
            yield "Secure"
        # Some are there to be read by the page's own scripts.
        if "httponly" not in attributes and not self._readable.search(name):
            yield "HttpOnly"
        if attributes.get("samesite", "") not in SITES:
            yield "SameSite"
