"""External APIs: whom a key belongs to, what it may do, and how much of the vendor's limits is left (§3, §6)."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Entry, Sectioned


class Owner(Entry):
    """Whom a key belongs to: the header in which the vendor says it, and the setting with the one that is expected."""

    header: str
    setting: str


class Headroom(Entry):
    """One of a vendor's limits: the headers with the limit itself and with what is left of it."""

    limit: str
    remaining: str


class Price(Entry):
    """What a model costs, in US cents for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(default=0, ge=0)


class ExternalVendor(Entry):
    """One external API: its address, its key, and what is expected of them. Lists that are empty are not judged."""

    url: str
    key: str
    # Whom the key belongs to, by what that is called.
    owners: dict[str, Owner] = {}
    # A small request whose answer carries the limits, as a model and the most tokens of its answer.
    probe_model: str = ""
    probe_tokens: int = Field(default=1, gt=0)
    headroom: dict[str, Headroom] = {}
    # Requests of [vendors.NAME] that a key of limited scope is refused.
    refused: list[str] = []
    # Model → price; a dated model has the price of the longest name that it begins with.
    prices: dict[str, Price] = {}

    def price_of(self, model: str) -> Price | None:
        """The price of a model; None for one that the specification does not price."""
        names = [name for name in self.prices if model.startswith(name)]
        return self.prices[max(names, key=len)] if names else None


class RoundTrip(Entry):
    """A document that is parsed by itself: states of its job, and times in seconds."""

    done: list[str] = Field(min_length=1)
    failed: list[str] = Field(min_length=1)
    seconds: float = Field(gt=0)
    poll_seconds: float = Field(gt=0)


class ExternalApis(Sectioned):
    """§3 External Service Dependencies; §6 API Keys."""

    # A limit of which less than this share is left is a finding.
    headroom_share: float = Field(gt=0, lt=1)
    # A limit that is smaller than this is used up by the run itself.
    smallest_limit: float = Field(default=50, ge=0)
    vendors: dict[str, ExternalVendor] = Field(min_length=1)
    round_trip: RoundTrip
