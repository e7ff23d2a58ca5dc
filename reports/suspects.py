"""Which part of the system is at fault where endpoints that need it are broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from reports.model import Check, Fact

# What a service returns when a part behind it fails.
UPSTREAM = (502, 503, 504)
# A part behind the endpoints shows itself by these.
BROKEN = frozenset({"http.server_error", "http.no_answer", "http.incomplete"})


class Suspects:
    """Parts that endpoints need, against what the endpoints of a run did.

    `needs` are the parts by the subject of an endpoint of `service`.
    """

    def __init__(self, checks: Sequence[Check], service: str, needs: Mapping[str, frozenset[str]]) -> None:
        self._checks = checks
        self._service = service
        self._needs = needs

    def at(self, broken: Sequence[Fact], usable: frozenset[str]) -> str | None:
        """The one part that all broken endpoints need and no endpoint needs that always worked, or None.

        `usable` are parts that are known to work for the service, and so are not at fault.
        """
        if broken[0].code not in BROKEN:
            return None
        needs = {fact.subject: self._needs.get(fact.subject, frozenset()) for fact in broken}
        suspects = frozenset.intersection(*needs.values()) - self._working() - usable
        # One handler may be broken by itself; several that share nothing but a part are not, nor one that blames a part itself.
        blames = all(fact.exchange and fact.exchange.status in UPSTREAM for fact in broken)
        return next(iter(suspects)) if len(suspects) == 1 and (blames or len(set(needs.values())) > 1) else None

    def _working(self) -> frozenset[str]:
        """Parts that endpoints need which worked at least once and never failed."""
        worked: Counter[str] = Counter()
        failed: Counter[str] = Counter()
        for check in self._checks:
            worked.update(check.worked_requests)
            failed.update(check.failed_requests)
        names = (name for name in self._needs if worked[f"{self._service} {name}"] and not failed[f"{self._service} {name}"])
        return frozenset(part for name in names for part in self._needs[name])
