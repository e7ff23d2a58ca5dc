"""6.3 Data Security: isolation of storage (§6 Data Security; contract: Storage)."""

import pytest

from fixtures.controls import require_shown
from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.placed_files import placed_files
from fixtures.stored import object_key
from fixtures.supabase import Supabase
from fixtures.users import User
from gate.http import expect
from gate.selection import promised
from gate.session import Session
from spec import Specification

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("6.3"),
    pytest.mark.component("storage"),
    promised("pipeline"),
]
# Of what is found, so many are named.
SHOWN = 3
opens_storage = pytest.mark.about("storage.open", "bucket files")


def _readable(supabase: Supabase, key: str) -> str:
    """A key; the check is not judged where not even the service role reads what should lie there."""
    reply = supabase.storage.read(key)
    require_shown(reply.succeeded, f"the object ({reply.status})")
    return key


@pytest.fixture
def raw_key(supabase: Supabase, policy: DocumentRun, spec: Specification) -> str:
    """Key of the policy's PDF in storage, which the service role can read."""
    return _readable(supabase, object_key(spec.pipeline.raw_path, policy.owner.id, policy.document_id))


@pytest.fixture(params=["raw_path", "parsed_path"])
def private_key(request: pytest.FixtureRequest, supabase: Supabase, policy: DocumentRun, spec: Specification) -> str:
    """Key of the policy's PDF, and of its text, which the service role can read."""
    return _readable(supabase, object_key(getattr(spec.pipeline, request.param), policy.owner.id, policy.document_id))


@opens_storage
def test_the_bucket_is_not_public(supabase: Supabase, private_key: str) -> None:
    """contract Storage: an anonymous read fails (F23)."""
    expect(supabase.storage.read_public(private_key)).refusal("the bucket is private")


@opens_storage
def test_a_strangers_key_reads_no_document(supabase: Supabase, private_key: str) -> None:
    """contract Storage: the anon key reads no document (F23)."""
    expect(supabase.storage.read(private_key, supabase.anon)).refusal("the document belongs to a user")


@opens_storage
def test_no_key_at_all_reads_no_document(supabase: Supabase, private_key: str) -> None:
    """contract Storage: without a key nothing is read (F23)."""
    expect(supabase.storage.read(private_key, supabase.gateway)).refusal("no key was sent")


@pytest.mark.about("storage.open", "object of another user")
def test_another_user_reads_no_document(supabase: Supabase, private_key: str, another_user: User) -> None:
    """contract Storage: another user reads no document (F23, F24)."""
    caller = supabase.with_key(supabase.anon_key, another_user.token)
    expect(supabase.storage.read(private_key, caller)).refusal("the document belongs to another user")


@opens_storage
def test_a_stranger_writes_nothing(supabase: Supabase, spec: Specification, another_user: User) -> None:
    """contract Storage: the anon key writes nothing (F23)."""
    key = object_key(spec.pipeline.raw_path, another_user.id, spec.probes.file_id)
    mime = spec.limits.supported_mime_types[0]
    expect(supabase.storage.write(key, spec.probes.file.encode(), mime, supabase.anon)).refusal("the anon key may not write")


@pytest.mark.about("storage.buckets_open", "part storage")
def test_a_stranger_makes_no_bucket(supabase: Supabase, session: Session) -> None:
    """contract Storage: the anon key makes no bucket (F23)."""
    expect(supabase.storage.create_bucket(f"{session.tag}-intruder", supabase.anon)).refusal(
        "the anon key may not make buckets"
    )


@opens_storage
def test_a_stranger_lists_nothing(supabase: Supabase, raw_key: str) -> None:
    """contract Storage: the anon key lists no document (F23)."""
    visible = supabase.storage.seen_by_strangers(raw_key.rpartition("/")[0])
    expect(visible, "objects that the anon key lists", facts={"objects": len(visible)}).is_empty()


@opens_storage
def test_a_signed_url_fits_one_object_only(supabase: Supabase, policy: DocumentRun, spec: Specification, raw_key: str) -> None:
    """contract Storage: a signed URL does not open its neighbour."""
    path = supabase.storage.signed_path(raw_key, spec.limits.signed_url_ttl_seconds)
    require_shown(supabase.storage.open_signed(path).succeeded, "the object under its own signed URL")
    parsed = _readable(supabase, object_key(spec.pipeline.parsed_path, policy.owner.id, policy.document_id))
    neighbour = path.replace(raw_key, parsed)
    signing = spec.call("storage", "sign_read")
    expect(
        neighbour,
        "path of the parsed text under the PDF's signature",
        code="http.value",
        subject=signing.subject,
    ).differs_from(path)
    expect(supabase.storage.open_signed(neighbour)).refusal("the signature is for another object")


@pytest.mark.needs("database")
@promised("pipeline", "database")
@pytest.mark.about("steady.orphaned", "bucket files")
def test_each_file_lies_at_its_documents_place(document_runs: DocumentRuns, database: Database, spec: Specification) -> None:
    """contract Storage: file and text of a document lie in its user's folder, and nothing of it lies anywhere else (F23)."""
    runs = [run for run in document_runs.ended("complete") if run.outcome == "complete"]
    found, subject = placed_files(database, runs), f"bucket {spec.pipeline.bucket}"
    # Of what everybody may read, who wrote it there comes second.
    of, what = f"bucket {min(found.public, default=spec.pipeline.bucket)}", "public buckets with files of the run's users"
    expect(found.public, what, "whether they must be public", code="storage.open", subject=of).is_empty()
    what, hint = "files of complete documents that are not there", "what removes files, and which keys the services write to"
    expect(found.missing[:SHOWN], what, hint, code="steady.lost", subject=subject).is_empty()
    what = "files in no user's folder, or in one of a user who has no such document"
    expect(found.elsewhere[:SHOWN], what, hint, subject=subject).is_empty()
