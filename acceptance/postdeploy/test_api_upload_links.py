"""8.2.2 Test API endpoints functionality: upload links, their expiry and their object (contract: HTTP API, Storage)."""

import math
from collections.abc import Callable

import pytest

from fixtures.clock import TimeField
from fixtures.documents import Document
from fixtures.upload_links import SECRET, end_of
from fixtures.upload_ways import LINK, Register, Registered, filled
from fixtures.users import User
from fixtures.violations import of_another_object
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import promised
from gate.session import Session
from spec import Specification

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "database"),
    promised("pipeline", "limits", "uploads"),
]
LATE, IN_TIME = -60, 60


@pytest.mark.about("link.lasts")
def test_the_link_itself_ends_as_promised(registered: Registered, spec: Specification) -> None:
    """contract Signed upload URLs live 300 s: by the token or the time inside the link, and not only by upload_expires_at."""
    end, skew = end_of(registered.link), spec.health.clock_skew_seconds
    subject = f"limit signed_url_ttl_seconds of {registered.rule_of(LINK)}"
    seconds = round(end.seconds) if end.seconds < float("inf") else end.seconds
    facts: dict[str, object] = {"claims": sorted(end.claims)}
    expect(seconds, "seconds that the link lives", subject=subject, facts=facts).is_at_most(end.longest(spec) + skew)
    given, what = registered.reply, "seconds from the registration to the end of the link"
    lived = round(end.at - given.at) if math.isfinite(end.at) else end.at
    shortest = spec.limits.signed_url_ttl_seconds - skew - given.seconds
    expect(lived, what, code="time.wrong", subject=subject, facts=facts).is_at_least(math.floor(shortest))
    shown = TimeField(registered.reply, "upload_expires_at")
    what = "seconds between the end of the link and upload_expires_at"
    early = round(shown.from_now - end.seconds)
    expect(early, what, code="time.wrong", subject=shown.subject, of=registered.reply).is_at_most(skew)


@pytest.mark.about("isolation.write")
def test_a_link_takes_no_other_object(
    registered: Registered, register: Register, another_user: User, new_document: Callable[[], Document], spec: Specification
) -> None:
    """contract PUT signed_url: the signature is for one object: not another user's, and not the text of the same document."""
    other = register(another_user, new_document())
    if registered.key not in registered.link:
        not_applicable("the link does not name its object")
    body = filled(spec, 1000)
    # What is the caller's own is opened by a wrong link, and no other user's data.
    for key, code in ((other.key, "isolation.write"), (registered.parsed_key, "link.accepted")):
        reply = registered.api.send(registered.link.replace(registered.key, key), body)
        written = registered.stored(key).succeeded
        what, subject = f"whether the link of one object wrote {key}", f"endpoint {registered.rule_of(LINK)}"
        expect(written, what, code=code, subject=subject, of=reply).equals(False)
        of_another_object(reply, subject).refusal("the link is for another object")
    own = registered.send(LINK, body)
    if not own.succeeded:
        not_applicable(f"the link does not even take its own object ({own.status})")


@pytest.mark.about("auth.accepted", "token of a prolonged link")
def test_a_link_cannot_be_prolonged(registered: Registered, spec: Specification) -> None:
    """contract PUT signed_url: 400 or 403 for an altered token: the end of a link is part of what is signed."""
    body = filled(spec, 1000)
    expect(registered.api.send(end_of(registered.link).prolonged(), body)).refusal("its end was changed")
    own = registered.send(LINK, body)
    if not own.succeeded:
        not_applicable(f"the link is not even taken as it was given ({own.status})")


@pytest.mark.about("auth.accepted", "token of an expired link")
def test_a_late_link_is_refused(registered: Registered, session: Session, spec: Specification) -> None:
    """contract PUT signed_url: 400 or 403 for an expired token: the same one, signed by the project, a minute after its end."""
    end, secret, body = end_of(registered.link), session.settings.text(SECRET), filled(spec, 1000)
    expect(registered.api.send(end.signed_again(secret, LATE), body)).refusal("its time is over")
    fresh = registered.api.send(end.signed_again(secret, IN_TIME), body)
    if not fresh.succeeded:
        not_applicable(f"a link that this run signs is not even taken in time ({fresh.status})")
