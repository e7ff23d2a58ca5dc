"""3.2 External Service Dependencies: keys, limits and results of the paid third parties (§3, §6 API Keys)."""

import pytest

from fixtures.external import External, RoundTrip
from fixtures.vendors import LlamaParse
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, external_entries

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("3.2"),
    pytest.mark.component("configuration"),
    promised("external_apis"),
]


@pytest.fixture(scope="module")
def external(session: Session) -> External:
    """The external APIs with the services' keys."""
    return External(session)


@pytest.mark.about("key.foreign")
@each("vendor, owner", external_entries.key_owners)
def test_the_key_belongs_to_the_expected_owner(external: External, spec: Specification, vendor: str, owner: str) -> None:
    """§3 External Service Dependencies: the staging key is of the expected organisation and project."""
    wanted, found = external.owner(vendor, owner)
    subject = f"key {spec.external_apis.vendors[vendor].key}"
    expect(found, f"{owner} that {vendor} names", subject=subject, component=vendor).equals(wanted)


@pytest.mark.about("key.powerful", "key {key}")
@each("vendor, call, key", external_entries.refused_calls)
def test_the_key_has_a_limited_scope(external: External, vendor: str, call: str, key: str) -> None:
    """§6 API Keys: staging-specific keys with limited scope: what no service needs is refused."""
    external.require_accepted(vendor)
    expect(external.ask(vendor, call)).error("forbidden", because=f"no service of staging needs what {key} may do there")


@pytest.mark.about("vendor.headroom")
@each("vendor, limit", external_entries.vendor_limits)
def test_there_is_room_below_the_limit(external: External, spec: Specification, vendor: str, limit: str) -> None:
    """§3 External Service Dependencies: the vendor's limits leave room for the service."""
    room = external.answers(vendor).least.get(limit)
    if room is None:
        not_applicable(f"the answers of {vendor} do not name the limit of {limit}")
    what = f"share of {vendor}'s limit of {limit} that is left ({room.remaining:g} of {room.limit:g})"
    subject = f"limit {vendor} {limit}"
    expect(round(room.share, 4), what, subject=subject, component=vendor).is_at_least(spec.external_apis.headroom_share)


@pytest.mark.component("llamaparse")
@pytest.mark.about("data.lost", "endpoint LlamaParse round trip")
def test_llamaparse_brings_the_text_of_a_document(session: Session, llamaparse: LlamaParse) -> None:
    """§3 LlamaParse: a document that is handed in comes back as text, and can be removed."""
    trip = RoundTrip(session, llamaparse)
    reply = trip.run()
    missing = trip.missing(reply)
    expect(missing, "sentences of the PDF that the parsed text lacks", of=reply).is_empty()
