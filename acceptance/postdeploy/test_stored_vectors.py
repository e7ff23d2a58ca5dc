"""8.2.3 Validate worker job processing: the stored vectors, each held against its own text (contract: Worker, §1)."""

from contextlib import suppress

import pytest

from fixtures.chunk_rows import ChunkRows
from fixtures.database import Database
from fixtures.document_runs import DocumentRuns
from fixtures.queue.dated import misdated
from fixtures.queue.extra import UNBROKEN
from fixtures.queue.resources import ExtraRuns
from fixtures.stored import Chunk, code_of_vectors, expect_columns, is_nearest, wrongly_hashed
from fixtures.stored_chunks import StoredChunks
from fixtures.vectors_of_texts import (
    apart,
    hashes_of,
    of_a_later_batch,
    samples,
    sharing_a_vector,
    versions_of,
    with_own_vectors,
)
from fixtures.vendors import OpenAI
from gate.failures import Blocked, not_applicable
from gate.http import expect
from gate.selection import promised
from spec import Specification

VECTORS = "vectors document_chunks.embedding"
HINT = "the embedding step of the worker: which vector goes to which text"
# Texts that are embedded again at most, and characters of one that are shown.
MOST, SHOWN = 8, 60
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.3"),
    pytest.mark.component("rag"),
    pytest.mark.needs("database", "users"),
    pytest.mark.about("vectors.wrong", VECTORS),
    promised("pipeline", "queue"),
]


@pytest.fixture
def documents(document_runs: DocumentRuns, extra_runs: ExtraRuns, spec: Specification) -> list[str]:
    """The documents of the run that are complete; blocked where none is."""
    found = []
    for name in spec.documents:
        with suppress(Blocked):
            found.append(document_runs.completed(name).document_id)
    with suppress(Blocked):
        found.append(extra_runs.completed(UNBROKEN).document_id)
    if not found:
        raise Blocked("worker", "no document of the run is complete")
    return found


@pytest.mark.component("database")
@pytest.mark.about("db.row_refused", "table document_chunks")
def test_the_chunks_of_two_documents_are_accepted(database: Database, document_runs: DocumentRuns, spec: Specification) -> None:
    """contract Database: the database takes embedded chunks as the worker writes them, also where two documents are alike."""
    runs = [document_runs.queued(name) for name in document_runs.expected_to("complete")[:2]]
    refusal = ChunkRows(database).refusal([run.document_id for run in runs], spec.probes.text)
    what, seen = "refusal of the chunks of two documents", str(refusal or "")
    expect(refusal is not None, what, seen=seen, facts=refusal.facts if refusal else {}).equals(False)


def test_no_two_texts_have_one_vector(database: Database, documents: list[str]) -> None:
    """contract Worker: each chunk has the embedding of its own text (F29)."""
    shared = sharing_a_vector(database, documents)
    seen = "; ".join(" / ".join(" ".join(text.split())[-SHOWN:] for text in texts[:2]) for texts in shared[:2])
    what, facts = "vectors that several texts have", {"vectors": len(shared), "kind": "same"}
    expect(len(shared), what, HINT, seen=seen, facts=facts).equals(0)


def test_one_text_has_one_vector(database: Database, documents: list[str], spec: Specification) -> None:
    """contract Worker: the same text has the same embedding, wherever it stands (F11)."""
    least = spec.pipeline.context_cosine or spec.pipeline.same_text_cosine
    found = apart(database, documents, least)
    what, facts = "cosines between the vectors of one text", {"pairs": len(found), "kind": "apart"}
    expect(sorted(round(near, 3) for _, near in found)[:3], what, HINT, facts=facts).is_empty()


def test_texts_of_every_kind_have_their_own_vectors(
    database: Database, stored_chunks: StoredChunks, documents: list[str], openai: OpenAI, spec: Specification
) -> None:
    """§1 RAG_EMBEDDING_MODEL: whatever a text is like, its embedding is the model's of this text (F11)."""
    chunks = [one for id in (documents[0], documents[-1]) for one in stored_chunks.of(id) if one.dimension]
    further = of_a_later_batch(database, documents, spec.pipeline.embedding_batch)
    chosen = [*samples(with_own_vectors(chunks), MOST), *further]
    if not chosen:
        not_applicable("no chunk of the run has a vector of its own; a check of its own says so")
    vectors = openai.embed([sample.chunk.text for sample in chosen], spec.pipeline.embed_model)
    for place, (sample, own) in enumerate(zip(chosen, vectors, strict=True)):
        cosine = round(sample.chunk.similarity_to(own), 4)
        others = [vector for other, vector in enumerate(vectors) if other != place]
        least = _least(sample.chunk, cosine, own, others, spec)
        what = f"cosine of the stored vector of {sample.about} and the model's own"
        code, seen = code_of_vectors([sample.chunk], spec, cosine), " ".join(sample.chunk.text.split())[:SHOWN]
        expect(cosine, what, HINT, code=code, subject=VECTORS, seen=seen).is_above(least)


@pytest.mark.component("worker")
@pytest.mark.about("data.wrong", "column document_chunks.chunk_sha")
def test_texts_of_every_kind_have_their_own_hashes(database: Database, documents: list[str], spec: Specification) -> None:
    """contract Database: chunk_sha is a hash that belongs to the chunk's text, in every script, of any length, anywhere."""
    wrong = wrongly_hashed(hashes_of(database, documents), spec.readings)
    expect(wrong, "chunks whose chunk_sha is no hash of their text", "how the worker makes the hash").is_empty()


@pytest.mark.component("worker")
@pytest.mark.about("data.wrong")
def test_texts_of_all_documents_name_their_versions(database: Database, documents: list[str], spec: Specification) -> None:
    """contract Database: chunker, model and vector_dim of each chunk that is embedded, of any document."""
    rule = spec.pipeline
    wanted: dict[str, object] = {"chunker_name": rule.chunker, "chunker_version": rule.chunker_version}
    wanted |= {"embed_model": rule.embed_model, "embed_version": rule.embed_version, "vector_dim": spec.vectors.dimension}
    found = versions_of(database, documents, list(wanted))
    expect_columns(found, rule.tables.chunks, **{column: [value] for column, value in wanted.items()})


@pytest.mark.component("database")
@pytest.mark.about("time.wrong")
def test_rows_of_all_documents_are_of_this_run(database: Database, documents: list[str]) -> None:
    """contract Database: created_at and updated_at of documents, jobs and chunks are when that was, with their zone."""
    for column, seconds in misdated(database, documents):
        what, hint = "seconds by which it lies before the run, or ahead", "the column's default; the statement that sets it"
        expect(seconds, what, hint, subject=f"column {column}", facts={"seconds": seconds}).equals(0)


def _least(chunk: Chunk, cosine: float, own: list[float], others: list[list[float]], spec: Specification) -> float:
    """Words around a chunk may have been embedded with it, as long as its own text is the nearest."""
    least, context = spec.pipeline.same_text_cosine, spec.pipeline.context_cosine
    if context and len(chunk.text) < spec.pipeline.context_outweighs_characters:
        context = 0.0
    return context if context is not None and least >= cosine > context and is_nearest(chunk, own, others) else least
