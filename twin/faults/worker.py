"""Faults of the worker."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"


@fault(
    "F17",
    "the worker fails on an import at start-up",
    "build",
    "predeploy",
    "postdeploy",
    about="*worker*",
    log="*ModuleNotFoundError*metrics_client*",
)
def broken_import(plan: Plan) -> None:
    first = "from backend.shared.calls import CallError, Problem\n"
    plan.replace_in_source(WORKER, first, f"import backend.shared.metrics_client\n{first}")
    plan.config.behaviour["deploys"] = {"srv-twinworker": {"status": "update_failed"}}


@fault(
    "F28",
    "a failing job is neither counted nor delayed",
    "worker",
    "postdeploy",
    about="*failing job*|*queue *",
    log='*"final": false*"attempt": 0*',
)
def poisoned_job(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "final = isinstance(error, PermanentError) or attempt", "final = attempt")
    plan.replace_in_source(QUEUE, 'attempt = job["retry_count"] + 1', "attempt = 0")
    plan.replace_in_source(QUEUE, '"deadletter" if final else "retryable"', '"deadletter" if final else "queued"')


@fault("F29", "embeddings are stored as zeros", "rag", "postdeploy", about="*document_chunks.embedding*|*embeddings*")
def zero_vectors(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "[vector_literal(vector) for", "[vector_literal([0.0] * len(vector)) for")


@fault("G17", "a completed job stays in state `queued`", "worker/api", "postdeploy", mode="-", about="*upload_jobs.state*")
def outdated_state(plan: Plan) -> None:
    plan.replace_in_source(WORKER, 'queue.advance(job, "complete", state="done")', 'queue.advance(job, "complete")')


@fault("G18", "the second half of every document is dropped", "worker", "postdeploy", mode="-", about="*chunks *")
def half_a_document(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "chunks = split(await self._parsed_text(job))",
        "chunks = split(await self._parsed_text(job))\n        chunks = chunks[: max(1, len(chunks) // 2)]",
    )


@fault(
    "G34",
    "chunks have wrong hashes and versions, and a number is left out",
    "worker/rag",
    "postdeploy",
    mode="-",
    about="*document_chunks.chunk_sha*|*document_chunks.chunk_ord*|*document_chunks.chunker_version*",
)
def wrong_chunks(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "hashlib.sha256(text.encode()).hexdigest()", 'hashlib.sha256(b"").hexdigest()')
    plan.replace_in_source(WORKER, "in enumerate(chunks)", "in [(n + (n > 1), t) for n, t in enumerate(chunks)]")
    plan.replace_in_source("backend/workers/chunking.py", 'CHUNKER_VERSION = "1"', 'CHUNKER_VERSION = "2"')


@fault("G35", "a failed document keeps half of its chunks", "worker", "postdeploy", mode="-", about="*chunks *")
def half_done(plan: Plan) -> None:
    row = (
        "        async with self.leases.holding(job) as connection:\n"
        "            if final:\n"
        "                await connection.execute(\n"
        '                    """INSERT INTO document_chunks (chunk_id, document_id, chunker_name, chunker_version, chunk_ord,\n'
        "                           text, chunk_sha) VALUES (gen_random_uuid(), $1, 'x', '1', 0, 'x', 'x')"
        '""",\n'
        '                    job["document_id"],\n'
        "                )\n"
    )
    start = '        log.warning(json.dumps({"job_id": str(job["job_id"]), "final": final, **reason}))\n'
    old = start + "        async with self.leases.holding(job) as connection:\n"
    plan.replace_in_source(QUEUE, old, start + row)


@fault(
    "G56",
    "chunks are numbered from the end of the document",
    "worker",
    "postdeploy",
    mode="-",
    about="*document_chunks.chunk_ord*",
)
def chunks_backwards(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "split(await self._parsed_text(job))", "split(await self._parsed_text(job))[::-1]")


@fault("G57", "the end of each document is dropped", "worker", "postdeploy", mode="-", about="*chunks *")
def end_is_dropped(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "split(await self._parsed_text(job))", "split(await self._parsed_text(job))[:-1]")


@fault(
    "G58",
    "later batches are stored with the vectors of the first one",
    "worker/rag",
    "postdeploy",
    mode="-",
    about="*document_chunks.embedding*|*vectors *|*embeddings*",
)
def first_batch_again(plan: Plan) -> None:
    plan.replace_in_source(WORKER, '[row["text"] for row in batch])', '[row["text"] for row in rows[: len(batch)]])')


@fault(
    "G60",
    "every job fails at its first attempt",
    "worker",
    "postdeploy",
    mode="-",
    about="*retries*",
    log="*not at the first attempt*",
)
def second_attempt(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        '                await self.stages[job["status"]](job)\n',
        '                if not job["retry_count"] and job["status"] == "parsed":\n'
        '                    raise RuntimeError("not at the first attempt")\n'
        '                await self.stages[job["status"]](job)\n',
    )


@fault(
    "G61",
    "the last chunk of each batch gets no vector, and the count is not checked",
    "worker/rag",
    "postdeploy",
    mode="-",
    about="*document_chunks.embedding*|*vectors *|*embeddings*",
)
def chunk_without_vector(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "(connection, batch, vectors)\n", "(connection, batch[:-1], vectors[:-1])\n")
    plan.replace_in_source(WORKER, "        if missing:\n", "        if False:\n")
