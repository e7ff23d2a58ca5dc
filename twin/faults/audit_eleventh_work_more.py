"""Slips of the worker in what it cuts, counts, gives up and calls by name."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHUNKING = "backend/workers/chunking.py"
QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "LW01",
    "signs without a width are taken out of passages",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks*|*unbroken*|*lost*",
)
def nothing_invisible(plan: Plan) -> None:
    # Words are not found when such a sign stands in them.
    plan.replace_in_source(
        CHUNKING,
        "    pieces: list[str] = []\n",
        '    pieces: list[str] = []\n    text = re.sub("[\\u200b-\\u200d\\u2060]", "", text)\n',
    )


@fault("LW05", "a job whose retries are used up is done", "worker", "postdeploy", mode="-", about="*upload_jobs.stat*|*job*")
def failed_is_done(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, '"deadletter" if final', '"done" if final')


@fault(
    "LW07",
    "a job is given up when its file has not come within a minute",
    "worker",
    "postdeploy",
    mode="-",
    about="*stage uploaded*|*late*|*uploaded*",
)
def a_minute_for_the_file(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "UPLOAD_WINDOW_SECONDS = 300", "UPLOAD_WINDOW_SECONDS = 60")


@fault(
    "LW08",
    "the progress of a job counts one chunk too few",
    "worker",
    "postdeploy",
    mode="-",
    about="*upload_jobs.progress*",
)
def one_too_few(plan: Plan) -> None:
    # Numbers begin at nothing.
    plan.replace_in_source(WORKER, 'progress={"chunks": len(rows)}', 'progress={"chunks": rows[-1][4]}')


@fault(
    "LW09",
    "the progress of a long document counts the embeddings of its last batch",
    "worker",
    "postdeploy",
    mode="-",
    about="*upload_jobs.progress*",
)
def count_of_a_batch(plan: Plan) -> None:
    plan.replace_in_source(WORKER, '"embedded": len(rows)}', '"embedded": len(batch)}')


@fault(
    "LW10",
    "the document of a job that was given up says that the cutting has failed",
    "worker",
    "postdeploy",
    mode="-",
    about="*processing_status*",
)
def word_of_another_step(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        '            job["document_id"],\n            status,\n        )\n        await connection.execute(\n',
        '            job["document_id"],\n            "failed_chunking" if status.startswith("failed") else status,\n'
        "        )\n        await connection.execute(\n",
    )


@fault(
    "LW16",
    "from the second batch of a document on a chunk has the hash of the one before",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunk_sha*",
)
def hash_of_the_one_before(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "hashlib.sha256(text.encode()).hexdigest()",
        "hashlib.sha256(chunks[max(0, number - (number >= BATCH))].encode()).hexdigest()",
    )
