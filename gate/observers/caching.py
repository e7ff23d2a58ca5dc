"""Private answers may not be stored by caches that serve others (RFC 9111, section 3.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gate.failures import Facts, Failure
from gate.observers.exchanged import Exchanged
from gate.observers.observer import Observer
from gate.session import Session
from spec.model import Endpoint

# Headers that speak to shared caches alone.
FOR_SHARED = ("cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control")
KEPT_BACK = {"no-store", "private"}


class PrivateCaching(Observer):
    """No answer to a request with a token, and none that hands one out, permits a shared cache to serve it to others."""

    name = "private_caching"
    components = frozenset({"api"})

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._hand_out = frozenset(session.spec.observing.tokens_from)

    def private(self, exchange: Exchanged) -> str:
        """The subject of an answer that is its caller's alone; empty for any other."""
        rule = exchange.rule
        if not isinstance(rule, Endpoint) or exchange.is_server_error:
            return ""
        is_private = (rule.auth == "bearer" and exchange.bearer) or exchange.subject in self._hand_out
        return exchange.subject if is_private else ""

    def see(self, exchange: Exchanged) -> Iterable[Failure]:
        """One failure for a private answer that says it may be kept."""
        subject = self.private(exchange)
        if not subject:
            return
        self.judged()
        if "authorization" in exchange.headers.get("vary", "").lower() or exchange.headers.get("vary", "").strip() == "*":
            return
        for name in ("cache-control", *FOR_SHARED):
            value = ", ".join(exchange.headers.get_list(name))
            if value and permits(directives_of(value), is_for_shared=name in FOR_SHARED):
                yield exchange.failure(
                    "cache.allowed",
                    subject=subject,
                    expected="nothing that permits it",
                    observed=Facts(value=f"{name.title()}: {value}"),
                    what=f"header {name.title()} of {exchange} to say",
                )
                return


def directives_of(value: str) -> Mapping[str, str]:
    """The directives of a header, by their names in lower case."""
    parts = (part.strip().partition("=") for part in value.split(","))
    return {name.strip().lower(): argument.strip().strip('"') for name, _, argument in parts if name.strip()}


def permits(directives: Mapping[str, str], is_for_shared: bool = False) -> bool:
    """Whether a shared cache may serve the answer again without asking, although the request had credentials."""
    if KEPT_BACK & directives.keys() or "no-cache" in directives:
        return False
    shared = directives.get("s-maxage", directives.get("max-age", ""))
    if shared == "0":
        return False
    return is_for_shared or bool({"public", "s-maxage", "must-revalidate"} & directives.keys())
