"""8.2.2 Test API endpoints functionality: duplicate, refused and unfinished registrations (contract: HTTP API)."""

from collections.abc import Callable

import pytest

from fixtures.api import Api
from fixtures.at_once import at_once
from fixtures.document_run import DocumentRun
from fixtures.documents import Document
from fixtures.duplicates import ANOTHER, Again
from fixtures.pipeline import Pipeline
from fixtures.stored import object_key
from fixtures.supabase import Supabase
from fixtures.unsent import Unsent
from fixtures.upload_ways import LINK, Register, filled
from fixtures.uploads import Accepted
from fixtures.users import User
from fixtures.violations import SIZE_LIMIT, TYPE_LIMIT, of_a_duplicate, of_anothers_job
from gate.failures import not_applicable
from gate.fields import subject_of_field
from gate.http import expect
from gate.selection import promised
from gate.session import Session
from spec import Specification

NewDocument = Callable[[], Document]
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "database"),
    promised("pipeline", "limits", "uploads"),
]
# What belongs to the first user, with every request of another.
OWN_COLUMNS = ("user_id", "document_id", "filename", "bytes_len", "mime", "file_sha256", "raw_path")
OWN_PAGES = ("job", "document_status")


@pytest.mark.about("data.doubled")
def test_the_same_content_is_a_duplicate_under_any_name(
    api: Api, new_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/upload: 409 for the same user and hash, under each name, size and wish, and each spelling of the hash."""
    document, caller = new_document(), api.as_(new_user)
    first = expect(caller.request_upload(document)).success()
    others: dict[str, object] = {"filename": f"other-{document.filename}", "bytes_len": len(document.body) + 1, "ocr": True}
    of_a_duplicate(caller.request_upload(document, **others), first).error("duplicate")
    upper = caller.request_upload(document, sha256=document.sha256.upper())
    rule, subject = upper.known(), subject_of_field(upper, "sha256")
    expect(upper, subject=subject).status(*rule.error("duplicate"), *rule.error("malformed"), because="it is the same hash")


@pytest.mark.about("data.doubled")
def test_a_duplicate_is_one_in_every_state_of_the_first(duplicates: list[Again], spec: Specification) -> None:
    """contract POST …/upload: 409 for the same user and hash, whatever became of the first; another user's is accepted."""
    for again in duplicates:
        if again.by == ANOTHER:
            expect(again.reply).success(str(again))
        elif not again.is_another_try(spec.pipeline):
            expect(again.reply).error("duplicate", str(again))


@pytest.mark.about("data.doubled")
def test_the_same_content_at_once_is_registered_once(api: Api, new_user: User, new_document: NewDocument) -> None:
    """contract POST …/upload: 409 for the same user and hash, also where both requests come at the same time."""
    document = new_document()
    replies = at_once(api.as_(new_user), [lambda caller: caller.request_upload(document)] * 2)
    replies.sort(key=lambda reply: not reply.succeeded)
    rule = replies[0].known()
    first = expect(replies[0]).success("one of them is the first")
    of_a_duplicate(replies[1], first).status(
        *rule.error("duplicate"), *rule.error("too_many"), because="the other is a duplicate"
    )


@pytest.mark.about("data.left")
def test_a_refused_registration_leaves_nothing(
    api: Api, new_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/upload: what is refused for its size or type is not registered, so the right request is no duplicate."""
    document, caller = new_document(), api.as_(new_user)
    limits, types = spec.limits, [*spec.uploads.foreign_types, *spec.uploads.further_types]
    wrong: list[tuple[str, dict[str, object]]] = [
        (SIZE_LIMIT, {"bytes_len": limits.max_file_size_bytes + 1}),
        # A wish for text recognition changes no limit.
        *((TYPE_LIMIT, dict[str, object](mime=mime, ocr=place % 2 == 0)) for place, mime in enumerate(types)),
    ]
    for limit, changed in wrong:
        refused = caller.request_upload(document, **changed)
        expect(refused, code="limit.missing", subject=f"limit {limit}").refusal(f"{changed} is not allowed")
    reply = caller.request_upload(document)
    left = reply.status in reply.known().error("duplicate")
    expect(reply, code="data.left" if left else "").success("nothing of the refused requests was to be kept")


def test_a_hash_opens_no_document_of_another_user(
    api: Api,
    new_user: User,
    new_document: NewDocument,
    policy: DocumentRun,
    pipeline: Pipeline,
    supabase: Supabase,
    spec: Specification,
) -> None:
    """contract RAG, Database: the hash of another user's finished document, without a file, brings nothing of it."""
    reply = api.as_(new_user).request_upload(new_document(), sha256=policy.sha256, bytes_len=policy.size)
    accepted = Accepted(reply)
    subject = f"endpoint {reply.subject.partition(' ')[2]}"
    found = [row["chunk_ord"] for row in pipeline.chunks(accepted.document_id)]
    what = "chunks of a document that was registered by its hash alone"
    expect(found, what, code="isolation.read", subject=subject, of=reply).is_empty("only its owner has sent it")
    for path in (spec.pipeline.parsed_path, spec.pipeline.raw_path):
        key = object_key(path, new_user.id, accepted.document_id)
        what = f"whether {path} of such a document can be read"
        is_there = supabase.storage.read(key).succeeded
        expect(is_there, what, code="isolation.read", subject=subject, of=reply).equals(False)
    status = pipeline.existing_job(accepted.job_id)["status"]
    column = f"column {spec.pipeline.jobs_table}.status"
    expect(status, "status of such a document", code="data.wrong", subject=column, of=reply).differs_from(
        spec.pipeline.final_status
    )


@pytest.mark.about("isolation.write")
def test_the_same_content_of_another_user_leaves_the_first_alone(
    api: Api,
    register: Register,
    new_user: User,
    another_user: User,
    new_document: NewDocument,
    pipeline: Pipeline,
    supabase: Supabase,
    spec: Specification,
) -> None:
    """contract POST …/upload: duplicates are per user; a first document that is not complete keeps its row and its place."""
    document = new_document()
    first = Accepted(api.as_(new_user).request_upload(document))
    before = pipeline.existing_job(first.job_id)
    second = register(another_user, Document(f"second-{document.filename}", document.body))
    sent = second.send(LINK, filled(spec, 1000))
    after = pipeline.existing_job(first.job_id)
    for column in OWN_COLUMNS:
        subject, what = f"column {spec.pipeline.tables.documents}.{column}", f"{column} of the first user's document"
        expect(str(after[column]), what, subject=subject, of=second.reply).equals(str(before[column]))
    key = object_key(spec.pipeline.raw_path, new_user.id, first.document_id)
    written = supabase.storage.read(key).succeeded
    what, subject = "whether the second user's file lies in the first one's place", f"object {spec.pipeline.raw_path}"
    expect(written, what, subject=subject, of=sent).equals(False)
    for name in OWN_PAGES:
        reply = api.as_(another_user).call(name, at={"job_id": first.job_id, "document_id": first.document_id})
        of_anothers_job(reply, served="isolation.read").error("unknown", because="who has the same content owns no more by it")


@pytest.mark.about("pipeline.failed")
@pytest.mark.component("worker")
def test_a_document_waits_for_its_file_as_long_as_its_link_lives(
    unsent: Unsent, policy: DocumentRun, api: Api, pipeline: Pipeline, spec: Specification, session: Session
) -> None:
    """contract Signed upload URLs live 300 s: until then the worker waits for the file, and the link takes it."""
    row, stage = unsent.met(pipeline), f"stage {spec.pipeline.stages[0]}"
    found = [row["chunk_ord"] for row in pipeline.chunks(unsent.document_id)]
    expect(found, "chunks of a document whose file never came", code="data.left", subject="chunks unsent").is_empty()
    lives = spec.limits.signed_url_ttl_seconds / session.speedup
    waited = (row["updated_at"] - row["created_at"]).total_seconds()
    what, facts = "seconds that a document waited for its file before it failed", {"status": row["status"]}
    if spec.pipeline.has_failed(row["status"]):
        expect(round(waited, 1), what, subject=stage, facts=facts).is_at_least(int(lives))
    if not unsent.is_open:
        not_applicable("its link has ended meanwhile")
    pipeline.finish_job(unsent.job_id)
    expect(api.send(unsent.link, filled(spec, 1000))).success("the link has not ended")
