"""8.2.2 Test API endpoints functionality: size and content of a file as it arrives (contract: HTTP API, Storage)."""

from collections.abc import Callable

import pytest

from fixtures.documents import Document
from fixtures.stored import sha256
from fixtures.upload_edges import Edges
from fixtures.upload_ways import LINK, WAYS, Registered, filled
from gate.failures import not_applicable
from gate.http import Reply, expect
from gate.selection import promised
from spec import Specification

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("storage"),
    pytest.mark.needs("api", "database"),
    promised("pipeline", "limits", "uploads"),
]


def require_kept(registered: Registered, way: str, sent: Reply, body: bytes, how: str, stored: Reply | None = None) -> None:
    subject, part = f"endpoint {registered.rule_of(way)}", registered.part_behind(way)
    found = registered.require_taken(way, stored or registered.stored()).body
    what, facts = f"SHA-256 of what is stored of a file that {how}, sent by the {way}", {"bytes": len(found), "sent": len(body)}
    held = expect(sha256(found), what, code="storage.differs", subject=subject, component=part, facts=facts, of=sent)
    held.equals(sha256(body))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.about("limit.missing")
def test_a_file_that_arrives_over_the_limit_is_not_kept(registered: Registered, spec: Specification, way: str) -> None:
    """contract POST …/upload: 413 above the size limit, also for a smaller declared size; the limit itself is allowed (F34)."""
    limit = spec.limits.max_file_size_bytes
    replies, kept = registered.try_to_send(way, filled(spec, limit + 1)), registered.stored()
    for reply in replies:
        subject, _ = registered.judged_for_size(way, reply)
        expect(reply, code="limit.missing", subject=subject).refusal("the limit holds for what arrives")
    subject, part = registered.judged_for_size(way, kept)
    what, last = "whether storage keeps a file over the limit", next(iter(replies), None)
    expect(kept.succeeded, what, subject=subject, component=part, of=last).equals(False)
    taken = registered.send(way, filled(spec, limit))
    if registered.is_too_large(taken):
        (subject, part), what = registered.judged_for_size(way), "whether a file of exactly the limit is taken"
        expect(taken.succeeded, what, code="limit.strict", subject=subject, component=part, of=taken).equals(True)
    if not taken.succeeded:
        not_applicable(f"{taken} returns {taken.status} for a file at the limit too, so its refusal above says nothing")
    require_kept(registered, way, taken, filled(spec, limit), "is as large as may be")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.about("storage.differs")
def test_a_file_is_kept_to_its_first_and_last_byte(edges: Edges, new_document: Callable[[], Document], way: str) -> None:
    """contract PUT signed_url, PUT …/upload-file-proxy, Database file_sha256: what was registered is stored, byte by byte."""
    found = edges.by(way, new_document())
    accepted = [each for each in found if each.sent.succeeded]
    for each in accepted:
        require_kept(each.registered, way, each.sent, each.registered.document.body, each.edge.replace("_", " "), each.stored)
    if not accepted:
        not_applicable(f"no such file is taken: {sorted({each.sent.status for each in found})}")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.about("limit.missing")
def test_a_file_of_another_type_is_not_kept_as_such(registered: Registered, spec: Specification, way: str) -> None:
    """contract GET …/upload/limits: supported_mime_types hold for what arrives, not only for what was declared."""
    for mime in spec.uploads.types_by(way == LINK):
        reply, kept = registered.send(way, filled(spec, 1000), mime), registered.stored()
        if kept.succeeded:
            break
        expect(reply).refusal("nothing of it was kept")
    wrong, what = registered.foreign_types_of(kept), f"types of a file sent as {mime}, as it is stored"
    subject, part = registered.judged_for_type(way, mime)
    expect(wrong, what, subject=subject, component=part, of=reply).is_empty()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.about("storage.differs")
def test_a_second_file_does_not_take_the_place_of_the_first(registered: Registered, spec: Specification, way: str) -> None:
    """contract PUT signed_url, PUT …/upload-file-proxy: 409 already there; what is there stays, byte by byte."""
    first, second = filled(spec, 1000), filled(spec, 1001)
    taken = registered.send(way, first)
    if not taken.succeeded:
        not_applicable(f"{taken} returns {taken.status} for a first file; checks of its own say so")
    place = f"object {spec.pipeline.raw_path}"
    for again in ("", *WAYS):
        reply, part = (registered.send(again, second) if again else taken), registered.part_behind(again or way)
        found = registered.require_taken(again or way, registered.stored()).body
        what = f"SHA-256 of what is stored after a second file by the {again}" if again else f"SHA-256 of a file by the {way}"
        expect(sha256(found), what, subject=place, component=part, facts={"bytes": len(found)}, of=reply).equals(sha256(first))
        if again:
            expect(reply, component=part).refusal("the file is there already")
