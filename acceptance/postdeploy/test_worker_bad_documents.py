"""8.2.3 Validate worker job processing: documents that cannot be read, and the queue behind them (contract: Worker)."""

import json

import pytest

from fixtures.document_runs import DocumentRuns
from fixtures.pipeline import Pipeline
from fixtures.queue.ends import says_why
from fixtures.stored import object_key, sha256
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


@each("name", entries.documents_that("failed"))
@pytest.mark.about("data.reason", "column upload_jobs.last_error")
def test_a_bad_document_fails_with_a_reason(document_runs: DocumentRuns, spec: Specification, name: str) -> None:
    """contract Worker: failed_parse with the reason in last_error, or its upload is refused."""
    document_run = document_runs.result(name)
    if not document_run.was_rightly_refused:
        document_runs.require(document_runs.accepted(name), "failed", WORKER_HINT)
        expect(document_run.last_error, f"last_error of {name!r}", facts={"document": name}).is_not_empty("people must see why")
        why = says_why(document_run.last_error, spec.pipeline)
        what, seen = f"last_error of {name!r} to say why", json.dumps(document_run.last_error, default=str)
        expect(why, what, WORKER_HINT, seen, facts={"document": name}).equals(
            True, "a stage or an exception's name is no reason"
        )


@each("name", entries.documents_that("failed"))
@pytest.mark.about("data.left", "chunks {name}")
def test_a_bad_document_leaves_nothing_half_done(document_runs: DocumentRuns, pipeline: Pipeline, name: str) -> None:
    """contract Worker: a failed document has no chunks and is not shown as complete."""
    document_run = document_runs.result(name)
    if not document_run.document_id:
        not_applicable(f"the upload of {name!r} was refused, so nothing of it is kept")
    found = pipeline.chunks(document_run.document_id)
    expect([row["chunk_ord"] for row in found], f"chunks of the failed document {name!r}").is_empty()


@each("name", entries.documents_that("failed"))
@pytest.mark.about("storage.differs")
def test_the_file_of_a_bad_document_is_kept(
    document_runs: DocumentRuns, supabase: Supabase, spec: Specification, name: str
) -> None:
    """contract Storage, POST …/retry: the raw document stays, byte for byte, when its job has failed: it may be retried."""
    document_run = document_runs.result(name)
    if document_run.outcome != "failed":
        not_applicable(f"no job of {name!r} has failed")
    path = spec.pipeline.raw_path
    reply = supabase.storage.require_existing(path, object_key(path, document_run.owner.id, document_run.document_id))
    kept = expect(sha256(reply.body), f"hash of the stored file of {name!r}", subject=f"object {path}", of=reply)
    kept.equals(document_run.sha256)


@each("name", entries.documents_that("failed"))
@pytest.mark.about("job.state", "column documents.processing_status")
def test_the_documents_own_status_follows_a_failure(
    document_runs: DocumentRuns, pipeline: Pipeline, spec: Specification, name: str
) -> None:
    """contract Worker: the document's processing_status follows its job's: once that has failed it names no other step."""
    document_run = document_runs.result(name)
    if not document_run.job_id or document_run.outcome != "failed":
        not_applicable(f"no job of {name!r} has failed")
    row = pipeline.existing_job(document_run.job_id)
    left = [row["processing_status"]] if spec.pipeline.is_behind(row["processing_status"], row["status"]) else []
    expect(left, f"another step that processing_status of the failed document {name!r} names", WORKER_HINT).is_empty()


@each("name", entries.documents_that("failed"))
@pytest.mark.about("job.state", "column upload_jobs.state")
def test_the_job_of_a_bad_document_is_over(
    document_runs: DocumentRuns, pipeline: Pipeline, spec: Specification, name: str
) -> None:
    """contract Worker: a job fails after its last retry: it does not count as running any more, and no worker takes it up."""
    document_run = document_runs.result(name)
    if not document_run.job_id or document_run.outcome != "failed":
        not_applicable(f"no job of {name!r} has failed")
    row = pipeline.existing_job(document_run.job_id)
    is_under_way = spec.pipeline.has_failed(row["status"]) and row["state"] in spec.pipeline.states.unfinished
    seen, column = f"{row['status']}, {row['state']}", f"column {spec.pipeline.jobs_table}.status"
    expect(is_under_way, f"whether the failed job of {name!r} is still under way", WORKER_HINT, seen).equals(False)
    done = [row["state"]] if spec.pipeline.has_failed(row["status"]) and row["state"] == spec.pipeline.final_state else []
    expect(done, f"state of a finished job that the failed one of {name!r} has", WORKER_HINT, seen).is_empty()
    what = f"status of {name!r}, which cannot be read"
    expect(row["status"], what, WORKER_HINT, subject=column).is_one_of(spec.pipeline.unreadable_as)
    what, subject = f"statuses of {name!r} that came without a newer updated_at", "column upload_jobs.updated_at"
    expect(document_run.unmoved, what, WORKER_HINT, code="data.wrong", subject=subject).is_empty()


@pytest.mark.about("pipeline.starved")
def test_a_bad_document_does_not_stop_the_queue(document_runs: DocumentRuns) -> None:
    """contract Worker: a poisoned job does not starve the jobs behind it (F28)."""
    for document_run in [document_runs.accepted(name) for name in document_runs.expected_to("complete")]:
        if document_run.outcome == "unfinished":
            document_runs.require(document_run, "complete", WORKER_HINT)
