"""8.2.3 Validate worker job processing (contract: Worker, Storage; §2 Worker Configuration)."""

import pytest

from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.pipeline import Pipeline
from fixtures.stored import Chunk, different, object_key, pages_in_order, pages_missing, sha256
from fixtures.supabase import Supabase
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from spec import Specification, entries

WORKER_HINT = "the worker's log at Render; upload_jobs.last_error of the job"
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.3"),
    pytest.mark.component("worker"),
    promised("pipeline"),
]


@pytest.fixture
def chunks(database_chunks: list[Chunk]) -> list[Chunk]:
    """The chunks of the policy, in order."""
    return database_chunks


@each("name", entries.documents_that("complete"))
def test_the_document_completes(document_runs: DocumentRuns, spec: Specification, name: str) -> None:
    """contract Worker: uploaded → parse_queued → parsed → … → complete, for each of several documents (F01–F13, F28)."""
    document_run = document_runs.accepted(name)
    expect(document_run.outcome, f"outcome of document {name!r}", WORKER_HINT, document_run.describe()).equals(
        spec.pipeline.final_status
    )


def test_the_stages_come_in_order(policy: DocumentRun, spec: Specification) -> None:
    """contract Worker: a job passes through the stages in their order."""
    order = [spec.pipeline.stages.index(status) for status in policy.statuses if status in spec.pipeline.stages]
    expect(order, f"order of the stages that were seen ({policy.statuses})").equals(sorted(order))


def test_only_known_stages_are_seen(policy: DocumentRun, spec: Specification) -> None:
    """contract Database: a job takes only statuses that the CHECK constraint allows."""
    allowed = spec.database.table(spec.pipeline.jobs_table).checks["status"]
    expect([s for s in policy.statuses if s not in allowed], "unknown statuses in the status history").is_empty()


def test_completion_sets_state_and_document(policy: DocumentRun, pipeline: Pipeline, spec: Specification) -> None:
    """contract Worker: with `complete`, state is done and the document's processing_status follows."""
    row = pipeline.existing_job(policy.job_id)
    expect((row["status"], row["state"]), "status and state of the finished job", WORKER_HINT).equals(
        (spec.pipeline.final_status, spec.pipeline.final_state)
    )
    expect(row["processing_status"], "processing_status of the document", WORKER_HINT).is_one_of(
        spec.pipeline.document_statuses
    )


def test_a_good_document_needs_no_retry(policy: DocumentRun) -> None:
    """§2 WORKER_MAX_RETRIES: a good document needs none; a retried success is a sign of trouble."""
    expect(policy.retry_count, "retries of a good document", WORKER_HINT, policy.describe()).equals(0)


def test_the_document_row_is_right(policy: DocumentRun, pipeline: Pipeline) -> None:
    """contract Database: documents keeps name, size, hash and owner."""
    row = pipeline.existing_job(policy.job_id)
    seen = (row["filename"], row["bytes_len"], row["file_sha256"], str(row["user_id"]))
    expect(seen, "name, size, hash and owner in documents").equals(
        (policy.filename, policy.size, policy.sha256, policy.owner.id)
    )


def test_the_job_names_its_versions(policy: DocumentRun, pipeline: Pipeline, spec: Specification) -> None:
    """contract Database: chunks_version, embed_model and embed_version."""
    row = pipeline.existing_job(policy.job_id)
    expect((row["chunks_version"], row["embed_model"], row["embed_version"]), "versions in the job's row").equals(
        (spec.pipeline.chunks_version, spec.pipeline.embed_model, spec.pipeline.embed_version)
    )


def test_the_paths_are_as_agreed(policy: DocumentRun, pipeline: Pipeline, spec: Specification) -> None:
    """contract Storage: raw and parsed files are stored under the agreed paths."""
    row = pipeline.existing_job(policy.job_id)
    wanted = tuple(
        f"{spec.pipeline.bucket}/{object_key(path, policy.owner.id, policy.document_id)}"
        for path in (spec.pipeline.raw_path, spec.pipeline.parsed_path)
    )
    found = tuple(str(row[name]).removeprefix(spec.pipeline.path_scheme) for name in ("raw_path", "parsed_path"))
    expect(found, "raw_path and parsed_path").equals(wanted)


@pytest.mark.component("storage")
def test_the_pdf_is_stored_unchanged(policy: DocumentRun, supabase: Supabase, spec: Specification) -> None:
    """contract Storage: the raw document, byte for byte."""
    key = object_key(spec.pipeline.raw_path, policy.owner.id, policy.document_id)
    reply = expect(supabase.storage.read(key)).success()
    expect(sha256(reply.body), "hash of the stored PDF").equals(policy.sha256)


@pytest.mark.component("storage")
def test_the_parsed_text_is_stored(policy: DocumentRun, supabase: Supabase, pipeline: Pipeline, spec: Specification) -> None:
    """contract Storage: the parsed Markdown, as its hash says."""
    key = object_key(spec.pipeline.parsed_path, policy.owner.id, policy.document_id)
    reply = expect(supabase.storage.read(key)).success()
    row = pipeline.existing_job(policy.job_id)
    expect(sha256(reply.body), "hash of the stored text").equals(row["parsed_sha256"], "documents.parsed_sha256 says so")


def test_every_page_is_in_the_chunks(policy: DocumentRun, chunks: list[Chunk]) -> None:
    """contract Worker: no page of the document is missing."""
    expect(pages_missing(policy.pages, chunks), f"pages of {len(policy.pages)} whose text is in no chunk").is_empty()


def test_the_chunks_follow_the_document(policy: DocumentRun, chunks: list[Chunk]) -> None:
    """contract Database: chunk_ord counts along the text."""
    order = pages_in_order(policy.pages, chunks)
    expect(order, "pages that chunks hold, by chunk_ord", WORKER_HINT).is_not_empty()
    expect(order, "pages that chunks hold, by chunk_ord", WORKER_HINT).equals(sorted(order))


def test_the_chunks_are_numbered_without_gaps(chunks: list[Chunk]) -> None:
    """contract Database: chunk_ord counts the chunks of a document."""
    numbers = [chunk.number for chunk in chunks]
    expect(numbers, "chunk_ord of the document").is_not_empty()
    expect(numbers, "chunk_ord of the document").equals(list(range(numbers[0], numbers[0] + len(numbers))))


def test_the_chunks_name_their_versions(chunks: list[Chunk], spec: Specification) -> None:
    """contract Database: chunker and embedding versions (F11)."""
    wanted = {(spec.pipeline.chunker, spec.pipeline.chunker_version, spec.pipeline.embed_model, spec.pipeline.embed_version)}
    expect({chunk.versions for chunk in chunks}, "versions of the document's chunks").equals(wanted)


def test_the_chunk_hashes_are_right(chunks: list[Chunk]) -> None:
    """contract Database: chunk_sha is the hash of the chunk's text."""
    wrong = [chunk.number for chunk in chunks if not chunk.sha or chunk.sha != sha256(chunk.text.encode())]
    expect(wrong, "chunks whose chunk_sha is not the SHA-256 of their text").is_empty()


def test_every_chunk_has_a_vector_of_the_right_dimension(chunks: list[Chunk], spec: Specification) -> None:
    """contract Worker: embeddings have 1536 dimensions (F11, F29)."""
    wrong = {chunk.number: chunk.dimension for chunk in chunks if chunk.dimension != spec.vectors.dimension}
    expect(wrong, "chunks with an embedding of another dimension, or none").equals({})


@pytest.mark.component("rag")
def test_every_vector_is_a_unit_vector(chunks: list[Chunk], spec: Specification) -> None:
    """contract Worker: no zero vector, no vector cut short (F29)."""
    tolerance = spec.pipeline.unit_norm_tolerance
    wrong = {chunk.number: round(chunk.norm, 3) for chunk in chunks if abs(chunk.norm - 1) > tolerance}
    expect(wrong, "chunks whose embedding has not length 1", "the embedding step of the worker; RAG_EMBEDDING_MODEL").equals({})


@pytest.mark.component("rag")
def test_vectors_of_different_texts_differ(chunks: list[Chunk], spec: Specification) -> None:
    """contract Worker: embeddings are not all the same (F29)."""
    vectors, texts = different(chunks)
    expect(vectors, "different embeddings", WORKER_HINT).is_at_least(texts * spec.pipeline.different_vectors_share)


def test_a_long_document_is_embedded_in_batches(document_runs: DocumentRuns, pipeline: Pipeline, spec: Specification) -> None:
    """contract Worker: embeddings go out in batches of 256; a document of several batches arrives whole."""
    document_run = document_runs.completed("long")
    chunks = [Chunk(row) for row in pipeline.chunks(document_run.document_id)]
    missing = pages_missing(document_run.pages, chunks)
    expect(missing, f"pages of {len(document_run.pages)} whose text is in none of {len(chunks)} chunks", WORKER_HINT).is_empty()
    bare = [chunk.number for chunk in chunks if chunk.dimension != spec.vectors.dimension]
    expect(bare, f"chunks of {len(chunks)} without a vector ({spec.pipeline.embedding_batch} a batch)", WORKER_HINT).is_empty()
    vectors, texts = different(chunks)
    expect(vectors, "different embeddings", WORKER_HINT).is_at_least(texts * spec.pipeline.different_vectors_share)


@pytest.mark.resilience
@each("name", entries.documents_that("failed"))
def test_a_bad_document_fails_with_a_reason(document_runs: DocumentRuns, name: str) -> None:
    """contract Worker: failed_parse with the reason in last_error, or its upload is refused."""
    document_run = document_runs.result(name)
    if document_run.outcome == "refused":
        expect(
            document_run.was_rightly_refused, f"{name!r} to be refused with a 4xx status", seen=document_run.reason
        ).is_true()
    else:
        expect(document_run.outcome, f"outcome of document {name!r}", WORKER_HINT, document_run.describe()).equals("failed")
        expect(document_run.last_error, f"last_error of {name!r}").is_not_empty("people must see why")


@pytest.mark.resilience
@each("name", entries.documents_that("failed"))
def test_a_bad_document_leaves_nothing_half_done(document_runs: DocumentRuns, pipeline: Pipeline, name: str) -> None:
    """contract Worker: a failed document has no chunks and is not shown as complete."""
    document_run = document_runs.result(name)
    if not document_run.document_id:
        not_applicable(f"the upload of {name!r} was refused, so nothing of it is kept")
    found = pipeline.chunks(document_run.document_id)
    expect(found, f"chunks of the failed document {name!r}").is_empty()


@pytest.mark.resilience
def test_a_bad_document_does_not_stop_the_queue(document_runs: DocumentRuns) -> None:
    """contract Worker: a poisoned job does not starve the jobs behind it (F28)."""
    good = [document_runs.accepted(name) for name in document_runs.expected_to("complete")]
    unfinished = [document_run.name for document_run in good if document_run.outcome == "unfinished"]
    expect(unfinished, "good documents that were never finished beside the bad ones", WORKER_HINT).is_empty()


@pytest.mark.resilience
def test_no_document_is_processed_twice(policy: DocumentRun, pipeline: Pipeline) -> None:
    """contract Worker: two workers on one queue never process a job twice."""
    repeated = pipeline.repeated_chunks(policy.document_id)
    expect(repeated, "chunk numbers that the document has twice").is_empty()
