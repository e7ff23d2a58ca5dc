"""Slips of the worker in what it cuts, numbers and puts behind something else."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHUNKING = "backend/workers/chunking.py"
QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault("LZ07", "of a long document a number is left out with each batch", "worker", "postdeploy", mode="-", about="*chunk_ord*")
def number_of_a_batch(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "                number,\n", "                number + number // BATCH,\n")


@fault(
    "LZ08",
    "the chunks of a long document are numbered in the order of their numbers as text",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunk_ord*",
)
def numbers_as_text(plan: Plan) -> None:
    # They were kept by their names in between.
    names = "sorted(range(len(chunks)), key=str if len(chunks) > BATCH else int)"
    plan.replace_in_source(WORKER, "in enumerate(chunks)", f"in enumerate(chunks[place] for place in {names})")


@fault(
    "LZ09",
    "lines of one or two letters are in no passage",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks*|*unbroken*|*lost*",
)
def nothing_short(plan: Plan) -> None:
    # They are numbers of pages, mostly.
    plan.replace_in_source(
        CHUNKING, "        words = line.split()\n", "        words = line.split() if len(line.strip()) > 2 else []\n"
    )


@fault(
    "LZ10",
    "a user's job that waits for another attempt holds up the user's other documents",
    "worker",
    "postdeploy",
    mode="-|F28",
    about="*queue upload_jobs*|*behind a waiting*|*upload_jobs*",
)
def one_after_the_other(plan: Plan) -> None:
    # What failed for one of them would fail for the next.
    plan.replace_in_source(
        QUEUE,
        "      AND status = ANY($1)\n",
        "      AND status = ANY($1) AND NOT EXISTS (\n"
        "          SELECT FROM upload_jobs o JOIN documents a ON a.document_id = o.document_id\n"
        "          JOIN documents b ON b.user_id = a.user_id WHERE b.document_id = upload_jobs.document_id\n"
        "          AND o.state = 'retryable' AND o.retry_count > 0 AND o.created_at < upload_jobs.created_at)\n",
    )
