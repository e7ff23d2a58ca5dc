"""All links of one twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from twin.control.addresses import ANYONE, REACHED, Addresses, kind_of
from twin.control.kinds import Unknown
from twin.control.relay import Address, Effect, Relay
from twin.processes import TwinError


@dataclass(frozen=True)
class Cut:
    """One disturbance of links: those from `source` (`anyone`: from everybody) to `target`."""

    source: str
    target: str
    effect: Effect

    def hits(self, source: str, target: str) -> bool:
        """Whether it concerns this link."""
        return target == self.target and self.source in (ANYONE, source, kind_of(source))


class Links:
    """Relays by source and target; `ports` are the targets' usual ports, `behind` says where each one listens."""

    def __init__(self, addresses: Addresses, ports: dict[str, int], behind: Callable[[str], Address]) -> None:
        self._addresses, self._ports, self._behind = addresses, ports, behind
        self._relays: dict[tuple[str, str], Relay] = {}
        self._cuts: dict[str, Cut] = {}

    def open(self, source: str) -> None:
        """Open the links of a source; raises TwinError where this system has no such addresses."""
        for target in REACHED[kind_of(source)]:
            if (source, target) in self._relays:
                continue
            address = self._addresses.of(source), self._ports[target]
            try:
                relay = Relay(address, partial(self._behind, target), target == "postgres")
            except OSError as error:
                raise TwinError(f"--drills: cannot listen at {address[0]} ({error.strerror}); it needs Linux") from error
            self._relays[source, target] = relay
            relay.listen()
            self._apply(source, target)

    def pairs(self) -> list[tuple[str, str]]:
        """Source and target of each link."""
        return sorted(self._relays)

    def of(self, target: str) -> dict[str, Relay]:
        """Relays to a target by source."""
        return {source: relay for (source, other), relay in self._relays.items() if other == target}

    def cut(self, id: str, cut: Cut) -> None:
        """Begin a disturbance; raises Unknown where there is no such link."""
        if not any(cut.hits(*pair) for pair in self._relays):
            raise Unknown(f"link: {cut.source} does not reach {cut.target}")
        self._cuts[id] = cut
        self._apply_all(cut)

    def mend(self, id: str) -> None:
        """End a disturbance."""
        if cut := self._cuts.pop(id, None):
            self._apply_all(cut)

    def mend_all(self) -> None:
        """End all of them."""
        for id in list(self._cuts):
            self.mend(id)

    def close(self) -> None:
        """End all links."""
        for relay in self._relays.values():
            relay.close()
        self._relays.clear()

    def _apply_all(self, cut: Cut) -> None:
        for pair in self._relays:
            if cut.hits(*pair):
                self._apply(*pair)

    def _apply(self, source: str, target: str) -> None:
        self._relays[source, target].apply([cut.effect for cut in self._cuts.values() if cut.hits(source, target)])
