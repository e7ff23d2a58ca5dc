"""8.2.3 Validate worker job processing: no work is done twice, by texts, vectors, calls and rows (contract: Worker)."""

from collections.abc import Callable

import pytest

from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.drills.invariants import Judged
from fixtures.pipeline import Pipeline
from fixtures.queue.extra import NAMES, UNBROKEN
from fixtures.queue.judging import require_embedded_once
from fixtures.queue.parses import Parses
from fixtures.queue.resources import ExtraRuns, most_retries
from fixtures.queue.seen import Seen
from fixtures.queue.stored_texts import chunks_of
from fixtures.queue.twice import doubled_in_chunks, doubled_in_text, shared_vectors
from fixtures.stored import missing_numbers, object_key, pages_in_order, pages_not_in, sha256
from fixtures.supabase import Supabase
from fixtures.vectors_of_texts import hashes_of
from gate.http import expect
from gate.readings import digest
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, entries
from spec.model import Invariant
from spec.queue_entries import invariants_of_a_run, queued_documents

WORKER_HINT = "the worker's log at Render; the events of the document's job"
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.3"),
    pytest.mark.component("worker"),
    promised("pipeline", "queue"),
]


def require_single(database: Database, document_run: DocumentRun) -> None:
    chunks, name = chunks_of(database, document_run.document_id), document_run.name
    missing = pages_not_in(document_run.pages, [text for text, _ in chunks])
    what, facts = f"pages of {name!r} that its {len(chunks)} chunks lack", {"missing": len(missing), "chunks": len(chunks)}
    expect(missing, what, WORKER_HINT, code="data.lost", subject=f"chunks {name}", facts=facts).is_empty()
    order = pages_in_order(document_run.pages, [text for text, _ in chunks])
    what, subject = f"pages of {name!r} that its chunks hold, by chunk_ord", "column document_chunks.chunk_ord"
    expect(order, what, WORKER_HINT, code="data.wrong", subject=subject).equals(sorted(order))
    doubled = doubled_in_chunks(document_run.pages, [text for text, _ in chunks])
    what = f"places, of {len(chunks)} chunks, that hold what an earlier chunk holds"
    facts = {"doubled": len(doubled), "chunks": len(chunks)}
    expect(doubled, what, WORKER_HINT, code="data.doubled", subject=f"chunks {name}", facts=facts).is_empty()
    shared = shared_vectors(chunks)
    what, subject = "chunks with the vector of a chunk with another text", "vectors document_chunks.embedding"
    expect(shared, what, WORKER_HINT, code="vectors.wrong", subject=subject, component="rag", facts={"kind": "same"}).equals(0)


@each("name", entries.documents_that("complete"))
@pytest.mark.needs("database")
@pytest.mark.about("data.doubled", "chunks {name}")
def test_no_text_is_cut_or_embedded_twice(document_runs: DocumentRuns, database: Database, name: str) -> None:
    """contract Worker: a job is processed once: each text, of one sentence or many, is in one place, with its own vector."""
    require_single(database, document_runs.completed(name))


@each("name", entries.documents_that("complete"))
@pytest.mark.needs("database")
@pytest.mark.about("data.wrong", "column document_chunks.chunk_ord")
def test_the_chunks_of_every_document_are_numbered(
    document_runs: DocumentRuns, database: Database, spec: Specification, name: str
) -> None:
    """contract Database: chunk_ord numbers the chunks of a document, of any length, and leaves none out (F11)."""
    document_run = document_runs.completed(name)
    chunks = hashes_of(database, [document_run.document_id])
    missing = missing_numbers(chunks, spec.pipeline.lost_numbers_share)
    expect(missing, f"numbers that are left out among the {len(chunks)} chunks of {name!r}", WORKER_HINT).is_empty()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.needs("database")
@pytest.mark.about("data.doubled", "chunks {name}")
def test_no_text_of_a_users_second_job_is_another(extra_runs: ExtraRuns, database: Database, name: str) -> None:
    """contract POST …/retry, Worker: after a retry a document is there once, like any other, and so is its user's next one."""
    require_single(database, extra_runs.completed(name))


@each("name", entries.documents_that("complete"))
@pytest.mark.about("data.doubled", "chunks {name}")
def test_no_text_is_parsed_twice(
    document_runs: DocumentRuns, supabase: Supabase, pipeline: Pipeline, spec: Specification, name: str
) -> None:
    """contract Worker, Storage: the parsed Markdown of a document holds each of its sentences once, as its hash says."""
    document_run, path = document_runs.completed(name), spec.pipeline.parsed_path
    reply = supabase.storage.require_existing(path, object_key(path, document_run.owner.id, document_run.document_id))
    doubled = doubled_in_text(document_run.pages, reply.text)
    what, subject = f"sentences that the parsed text of {name!r} holds twice", f"object {path}"
    expect(len(doubled), what, WORKER_HINT, subject=subject, facts={"doubled": len(doubled)}, of=reply).equals(0)
    kept, of = (
        digest(pipeline.existing_job(document_run.job_id)["parsed_sha256"], spec.readings),
        "column documents.parsed_sha256",
    )
    expect(kept, f"parsed_sha256 of document {name!r}", WORKER_HINT, code="data.wrong", subject=of).equals(sha256(reply.body))


@pytest.mark.about("data.wrong", "column documents.parsed_sha256")
def test_text_of_every_kind_is_stored_as_its_hash_says(
    extra_runs: ExtraRuns, supabase: Supabase, pipeline: Pipeline, spec: Specification
) -> None:
    """contract Worker, Storage: the webhook stores the Markdown, in every script and form, to its last line end."""
    document_run, path = extra_runs.completed(UNBROKEN), spec.pipeline.parsed_path
    reply = supabase.storage.require_existing(path, object_key(path, document_run.owner.id, document_run.document_id))
    missing = pages_not_in(document_run.pages, [reply.text])
    what, facts = "paragraphs of text of every kind of which the stored text lacks a part", {"missing": len(missing)}
    expect(missing, what, code="data.lost", subject=f"object {path}", facts=facts, of=reply).is_empty()
    kept = digest(pipeline.existing_job(document_run.job_id)["parsed_sha256"], spec.readings)
    expect(kept, "parsed_sha256 of text of every kind", WORKER_HINT).equals(sha256(reply.body))


@each("name", queued_documents)
@pytest.mark.about("job.twice", "document {name}")
def test_a_document_is_handed_in_once(document_runs: DocumentRuns, session: Session, parses: Parses, name: str) -> None:
    """contract Worker: a job is processed once: LlamaParse was given its document once, and once for each retry."""
    document_run = document_runs.queued(name)
    allowed = 1 + document_run.retry_count
    handed_in = parses.of(document_run.filename)
    facts = {"detail": f"handed in {handed_in} times, with {document_run.retry_count} retries"}
    what = f"parses of document {name!r} at LlamaParse"
    expect(handed_in, what, "the worker's log; LlamaParse's own list", facts=facts).is_at_most(allowed)


@pytest.mark.needs("database")
@pytest.mark.about("job.twice", "vectors document_chunks.embedding")
def test_no_text_is_embedded_again_and_again(
    document_runs: DocumentRuns, queue_seen: Callable[[], Seen], spec: Specification
) -> None:
    """contract Worker: embeddings go out in batches of 256, each text in one of them, and not again with the next."""
    document_runs.ended("complete")
    require_embedded_once(spec, queue_seen())


@each("name", queued_documents)
@pytest.mark.needs("database")
@pytest.mark.about("job.tries", "document {name}")
def test_a_job_is_not_tried_too_often(document_runs: DocumentRuns, session: Session, name: str) -> None:
    """§2 WORKER_MAX_RETRIES: no job has more attempts than agreed, for any reason (F28)."""
    document_run = document_runs.queued(name)
    # The last failure, which ends the job, may be counted too.
    most = most_retries(session) + 1
    what = f"failures of document {name!r} that were counted"
    facts = document_run.facts_of_end(session.spec.pipeline)
    expect(document_run.retry_count, what, WORKER_HINT, facts=facts).is_at_most(most)


@each("invariant", invariants_of_a_run)
@pytest.mark.needs("database")
@pytest.mark.about("steady.doubled", "promise {invariant}")
def test_the_invariant_holds_for_the_run(stored_of_the_run: Judged, invariant: Invariant) -> None:
    """contract Worker: of the run's documents nothing is done twice, left alone in its table, or of one user with another."""
    stored_of_the_run.require_only(invariant.name, by=invariant.written_by)
