"""8.2.3 Validate worker job processing (contract: Worker, Storage; §2 Worker Configuration)."""

import pytest

from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.pipeline import Pipeline
from fixtures.queue.extra import RETRIED, UNBROKEN
from fixtures.queue.followed import require_counted, require_followed, require_paths, require_registered, require_versions
from fixtures.queue.resources import ExtraRuns
from fixtures.queue.stored_texts import chunks_of
from fixtures.stored import (
    Chunk,
    different,
    expect_columns,
    missing_numbers,
    object_key,
    pages_in_order,
    pages_missing,
    sha256,
    which_is_wrong,
    wrongly_hashed,
)
from fixtures.stored_chunks import StoredChunks
from fixtures.supabase import Supabase
from gate.http import expect
from gate.readings import digest
from gate.selection import each, promised
from spec import Specification, entries

WORKER_HINT = "the worker's log at Render; upload_jobs.last_error of the job"
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.3"),
    pytest.mark.component("worker"),
    pytest.mark.about("data.wrong"),
    promised("pipeline"),
]
POLICY = "chunks policy"
CHUNKER = ("chunker_name", "chunker_version")
VECTORS = "vectors document_chunks.embedding"


@pytest.fixture
def chunks(database_chunks: list[Chunk]) -> list[Chunk]:
    """The chunks of the policy, in order."""
    return database_chunks


@pytest.mark.component("api")
@pytest.mark.about("pipeline.refused")
def test_every_document_is_taken(document_runs: DocumentRuns, spec: Specification) -> None:
    """contract HTTP API (upload): good documents are accepted; others are accepted, or refused with a 4xx status."""
    for name, kind in spec.documents.items():
        document_run = document_runs.result(name)
        if document_run.outcome == "refused" and (kind.outcome == "complete" or not document_run.was_rightly_refused):
            document_runs.require(document_run, kind.outcome, "the log of the part that refused it")


@each("name", entries.documents_that("complete"))
@pytest.mark.about("pipeline.callback", "stage parse_queued")
def test_the_document_completes(document_runs: DocumentRuns, spec: Specification, name: str) -> None:
    """contract Worker: uploaded → parse_queued → parsed → … → complete, for each of several documents (F01–F13, F28)."""
    document_runs.require(document_runs.accepted(name), spec.documents[name].outcome, WORKER_HINT)


@pytest.mark.about("job.order", "column upload_jobs.status")
def test_the_stages_come_in_order(policy: DocumentRun, spec: Specification) -> None:
    """contract Worker: a job passes through the stages in their order."""
    order = [spec.pipeline.stages.index(status) for status in policy.statuses if status in spec.pipeline.stages]
    expect(order, f"order of the stages that were seen ({policy.statuses})").equals(sorted(order))


@pytest.mark.about("job.order", "column upload_jobs.status")
def test_only_known_stages_are_seen(policy: DocumentRun, spec: Specification) -> None:
    """contract Database: a job takes only statuses that the CHECK constraint allows."""
    allowed = spec.database.table(spec.pipeline.jobs_table).checks["status"]
    expect([s for s in policy.statuses if s not in allowed], "unknown statuses in the status history").is_empty()


@each("name", entries.documents_that("complete"))
@pytest.mark.about("job.state")
def test_completion_sets_state_and_document(
    document_runs: DocumentRuns, pipeline: Pipeline, spec: Specification, name: str
) -> None:
    """contract Worker, Database: with `complete` state is done, and the rows of job and document say what was sent."""
    document_run = document_runs.completed(name)
    row = pipeline.existing_job(document_run.job_id)
    require_followed(document_runs, row)
    require_registered(document_run, row, spec)
    require_paths(document_run, row, spec)
    require_versions(row, spec)
    what, subject = f"statuses of {name!r} that came without a newer updated_at", "column upload_jobs.updated_at"
    expect(document_run.unmoved, what, WORKER_HINT, code="data.wrong", subject=subject).is_empty()


@pytest.mark.needs("database", "users")
@promised("queue", "webhook")
@pytest.mark.about("job.state")
def test_the_completion_of_a_retried_job_sets_state_and_document(
    document_runs: DocumentRuns, extra_runs: ExtraRuns, pipeline: Pipeline
) -> None:
    """contract POST …/retry, Worker: of a document that had failed nothing says so when it is complete."""
    require_followed(document_runs, pipeline.existing_job(extra_runs.completed(RETRIED).job_id))


@pytest.mark.about("pipeline.retried", "document policy")
def test_a_good_document_needs_no_retry(policy: DocumentRun, spec: Specification) -> None:
    """§2 WORKER_MAX_RETRIES: a good document needs none; a retried success is a sign of trouble."""
    found = policy.facts_of_end(spec.pipeline)
    expect(policy.retry_count, "retries of a good document", WORKER_HINT, facts=found).equals(0)


def test_the_document_row_is_right(policy: DocumentRun, pipeline: Pipeline, spec: Specification) -> None:
    """contract Database: documents keeps name, type, size, hash and owner."""
    require_registered(policy, pipeline.existing_job(policy.job_id), spec)


def test_the_job_names_its_versions(policy: DocumentRun, pipeline: Pipeline, spec: Specification) -> None:
    """contract Database: chunks_version, embed_model and embed_version."""
    require_versions(pipeline.existing_job(policy.job_id), spec)


def test_the_paths_are_as_agreed(policy: DocumentRun, pipeline: Pipeline, spec: Specification) -> None:
    """contract Storage: raw and parsed files are stored under the agreed paths."""
    require_paths(policy, pipeline.existing_job(policy.job_id), spec)


@pytest.mark.component("storage")
@pytest.mark.about("storage.differs")
def test_the_pdf_is_stored_unchanged(document_runs: DocumentRuns, supabase: Supabase, spec: Specification) -> None:
    """contract Storage: the raw document, byte for byte."""
    path, policy = spec.pipeline.raw_path, document_runs.queued("policy")
    reply = supabase.storage.require_existing(path, object_key(path, policy.owner.id, policy.document_id))
    expect(sha256(reply.body), "hash of the stored PDF", subject=f"object {path}", of=reply).equals(policy.sha256)


@pytest.mark.component("storage")
def test_the_parsed_text_is_stored(policy: DocumentRun, supabase: Supabase, pipeline: Pipeline, spec: Specification) -> None:
    """contract Storage: the parsed Markdown, as its hash says."""
    path = spec.pipeline.parsed_path
    reply = supabase.storage.require_existing(path, object_key(path, policy.owner.id, policy.document_id))
    row = pipeline.existing_job(policy.job_id)
    code, subject, part = which_is_wrong(policy.pages, reply.text, path)
    what = "documents.parsed_sha256"
    found = expect(digest(row["parsed_sha256"], spec.readings), what, code=code, subject=subject, component=part, of=reply)
    found.equals(sha256(reply.body), "it is the hash of the stored text")


@pytest.mark.about("data.lost", POLICY)
def test_every_page_is_in_the_chunks(policy: DocumentRun, chunks: list[Chunk]) -> None:
    """contract Worker: no page of the document is missing."""
    missing = pages_missing(policy.pages, chunks)
    found = {"missing": len(missing), "pages": len(policy.pages)}
    expect(missing, f"pages of {len(policy.pages)} whose text is in no chunk", facts=found).is_empty()


@pytest.mark.about("data.wrong", "column document_chunks.chunk_ord")
def test_the_chunks_follow_the_document(policy: DocumentRun, chunks: list[Chunk]) -> None:
    """contract Database: chunk_ord counts along the text."""
    order = pages_in_order(policy.pages, [chunk.text for chunk in chunks])
    what = "pages that chunks hold, by chunk_ord"
    expect(order, what, WORKER_HINT, code="data.lost", subject=POLICY).is_not_empty()
    expect(order, what, WORKER_HINT).equals(sorted(order))


@pytest.mark.about("data.wrong", "column document_chunks.chunk_ord")
def test_no_number_is_missing_among_the_chunks(chunks: list[Chunk], spec: Specification) -> None:
    """contract Database: chunk_ord numbers the chunks of a document, by any rule; one that is left out was lost (F11)."""
    missing = missing_numbers(chunks, spec.pipeline.lost_numbers_share)
    expect(missing, "numbers that are left out among the chunks of the document", WORKER_HINT).is_empty()


def test_the_chunks_name_their_versions(chunks: list[Chunk], spec: Specification) -> None:
    """contract Database: chunker and embedding versions (F11)."""
    rule = spec.pipeline
    wanted = {"chunker_name": rule.chunker, "chunker_version": rule.chunker_version}
    wanted |= {"embed_model": rule.embed_model, "embed_version": rule.embed_version}
    # A chunk without a vector has no version of one; that it lacks it is a check of its own.
    judged = {column: [chunk for chunk in chunks if chunk.dimension or column in CHUNKER] for column in wanted}
    found = {column: sorted({str(chunk.versions[column]) for chunk in some}) for column, some in judged.items()}
    expect_columns(found, "document_chunks", **{column: [value] for column, value in wanted.items()})


@pytest.mark.about("data.wrong", "column document_chunks.chunk_sha")
def test_the_chunk_hashes_are_right(chunks: list[Chunk], spec: Specification) -> None:
    """contract Database: chunk_sha is a hash that belongs to the chunk's text."""
    wrong = wrongly_hashed(chunks, spec.readings)
    expect(wrong, "chunks whose chunk_sha is no hash of their text").is_empty()


@pytest.mark.component("rag")
@pytest.mark.about("vectors.wrong", VECTORS)
def test_every_chunk_has_a_vector_of_the_right_dimension(chunks: list[Chunk], spec: Specification) -> None:
    """contract Worker: embeddings have 1536 dimensions (F11, F29)."""
    wrong = [chunk.dimension for chunk in chunks if chunk.dimension != spec.vectors.dimension]
    kind = "missing" if 0 in wrong else "dimension"
    facts = {"wrong": len(wrong), "chunks": len(chunks), "kind": kind}
    what = f"other dimensions of embeddings than {spec.vectors.dimension} (0: no embedding)"
    expect(sorted(set(wrong)), what, facts=facts).is_empty()


@pytest.mark.component("rag")
@pytest.mark.about("vectors.wrong", VECTORS)
def test_every_vector_is_a_unit_vector(chunks: list[Chunk], spec: Specification) -> None:
    """contract Worker: no zero vector, no vector cut short (F29)."""
    tolerance = spec.pipeline.unit_norm_tolerance
    wrong = [round(chunk.norm, 3) for chunk in chunks if chunk.dimension and abs(chunk.norm - 1) > tolerance]
    facts = {"wrong": len(wrong), "chunks": len(chunks), "kind": "length"}
    hint = "the embedding step of the worker; RAG_EMBEDDING_MODEL"
    expect(sorted(set(wrong)), "other lengths of embeddings than 1", hint, facts=facts).is_empty()


@pytest.mark.component("rag")
@pytest.mark.about("vectors.wrong", VECTORS)
def test_vectors_of_different_texts_differ(chunks: list[Chunk], spec: Specification) -> None:
    """contract Worker: embeddings are not all the same (F29)."""
    vectors, texts = different(chunks)
    expect(vectors, "different embeddings", WORKER_HINT, facts={"texts": texts, "kind": "same"}).is_at_least(
        texts * spec.pipeline.different_vectors_share
    )


@pytest.mark.component("rag")
@pytest.mark.about("vectors.wrong", VECTORS)
def test_a_long_document_is_embedded_in_batches(
    document_runs: DocumentRuns, database: Database, pipeline: Pipeline, spec: Specification
) -> None:
    """contract Worker: embeddings go out in batches of 256; a document of several batches arrives whole, and is counted so."""
    chunks = chunks_of(database, (long := document_runs.completed("long")).document_id)
    bare = [number for number, (_, vector) in enumerate(chunks) if vector is None]
    what, facts = f"chunks of {len(chunks)} without a vector ({spec.pipeline.embedding_batch} a batch)", {"kind": "missing"}
    expect(bare, what, WORKER_HINT, facts=facts).is_empty()
    vectors, texts = len({vector for _, vector in chunks}), len({text for text, _ in chunks})
    least = texts * spec.pipeline.different_vectors_share
    expect(vectors, "different embeddings", WORKER_HINT, facts={"texts": texts, "kind": "same"}).is_at_least(least)
    require_counted(pipeline.existing_job(long.job_id), len(chunks), spec)


@pytest.mark.needs("database", "users")
@promised("queue", "webhook")
@pytest.mark.about("data.lost", "chunks unbroken")
def test_no_text_without_blanks_is_lost(
    document_runs: DocumentRuns, extra_runs: ExtraRuns, stored_chunks: StoredChunks
) -> None:
    """contract Worker: chunks hold all of a document: long words, scripts without blanks, rows of figures, every markup."""
    document_run = extra_runs.result(UNBROKEN)
    document_runs.require(document_run, "complete", WORKER_HINT)
    chunks = stored_chunks.of(document_run.document_id)
    missing = pages_missing(document_run.pages, chunks)
    what = f"paragraphs, of {len(document_run.pages)} without a blank or a word, of which {len(chunks)} chunks lack a part"
    expect(missing, what, WORKER_HINT, facts={"missing": len(missing), "pages": len(document_run.pages)}).is_empty()


@pytest.mark.about("data.doubled", POLICY)
def test_no_document_is_processed_twice(policy: DocumentRun, chunks: list[Chunk], pipeline: Pipeline) -> None:
    """contract Worker: two workers on one queue never process a job twice."""
    repeated = pipeline.repeated_chunks(policy.document_id)
    expect(repeated, "chunk numbers that the document has twice").is_empty()
